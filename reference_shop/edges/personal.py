"""Which addresses are a visitor's own, as a regular expression that PCRE reads: one rule for nginx and for Varnish.

The shop knows a personal page by its exact path, and an unknown one is a 404 that nobody may keep. Other shops show the
account page for /account/x.css too (web-cache deception), so whatever begins with a personal name is personal, and a
longer name (/cartoons) is not.
"""

_OF_THE_SHOP = ("fragment", "cart", "checkout", "waiting-room", "orders", "login", "logout", "register", "account")
# Names that other shops give to the same.
_ELSEWHERE = (
    *("basket", "order", "payment", "customer", "my-account", "my", "me", "profile", "user", "users", "wishlist"),
    *("signin", "sign-in", "signup", "sign-up", "signout", "sign-out", "session", "sessions", "auth", "oauth", "admin"),
)


def personal_names(*, is_shop: bool) -> str:
    """The first segments of personal addresses, as alternatives of a regular expression."""
    return "|".join(_OF_THE_SHOP if is_shop else (*_OF_THE_SHOP, *_ELSEWHERE))
