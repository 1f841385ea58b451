"""The only HTTP to Microsoft: clouds, auth, client, wire, errors, callbacks. It knows neither Django nor our models."""
