"""Where the image goes that is about to be overwritten: the text under `backup`, and the template it may be."""
