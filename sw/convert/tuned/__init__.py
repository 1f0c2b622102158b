"""An import made better on a user's inputs: calibrated, or trained on with its K bits."""
