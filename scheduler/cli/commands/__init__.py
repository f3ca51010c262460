"""One module per command; ``scheduler.cli.main.COMMANDS`` lists them."""
