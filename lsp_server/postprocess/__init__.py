"""What the user should see of the model's answer."""
