"""Go's text/template, as users write it between `{{` and `}}`: read once and run as often as wanted."""
