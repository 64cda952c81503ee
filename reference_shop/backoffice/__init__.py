"""The back office: a program that changes prices, stock and promotions while shoppers shop, as merchants do all day."""
