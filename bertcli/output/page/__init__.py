"""The attention page: one HTML file that contains its data, script and style, and makes no network requests."""
