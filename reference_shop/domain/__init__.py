"""What the shop is about: products, carts, orders, payments, accounts and their rules. Knows neither SQL nor HTTP."""
