"""The pictures of the generated dataset: see picture.py for one of them."""
