"""The pages for people: what they show, and the templates they are made of."""
