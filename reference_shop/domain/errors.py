"""Every way the shop says no; raised by all layers above, turned into pages by `web.failures`.

    ShopError
    ├── InvalidInput        a field does not hold what it must
    ├── NotFound            there is no such thing, or not for this shopper
    ├── OutOfStock          fewer units are left than were asked for
    ├── PaymentDeclined     the provider refused the card; stock and cart are as before
    ├── PaymentUnresolved   nobody knows yet whether the provider charged; the order is pending
    ├── CheckoutExpired     the payment form belongs to no open checkout, or its key was used for another payment
    ├── EmailTaken          an account with this address exists
    ├── BadCredentials      address and password do not belong together
    ├── Forbidden           the request came from another site
    └── Unavailable         the database does not answer

`str(error)` is the sentence a shopper reads, in Indonesian.
"""

from enum import StrEnum


class ErrorCode(StrEnum):
    """Stable names of the errors, as pages carry them in `data-error`."""

    INVALID_INPUT = "invalid_input"
    NOT_FOUND = "not_found"
    OUT_OF_STOCK = "out_of_stock"
    PAYMENT_DECLINED = "payment_declined"
    PAYMENT_UNRESOLVED = "payment_unresolved"
    CHECKOUT_EXPIRED = "checkout_expired"
    EMAIL_TAKEN = "email_taken"
    BAD_CREDENTIALS = "bad_credentials"
    FORBIDDEN = "forbidden"
    UNAVAILABLE = "unavailable"


class ShopError(Exception):
    """Base of all refusals; `code` says which one it is."""

    code: ErrorCode


class InvalidInput(ShopError):
    """A field does not hold what it must; `problems` maps field names to sentences."""

    code = ErrorCode.INVALID_INPUT

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


class NotFound(ShopError):
    """There is no such thing, or not for this shopper."""

    code = ErrorCode.NOT_FOUND

    def __init__(self, sentence: str = "Halaman yang Anda cari tidak ada.") -> None:
        super().__init__(sentence)


class OutOfStock(ShopError):
    """Fewer units of a product are left than were asked for."""

    code = ErrorCode.OUT_OF_STOCK

    def __init__(self, product_id: int, name: str, on_hand: int) -> None:
        left = f"tinggal {on_hand} buah" if on_hand else "sudah habis"
        super().__init__(f"Stok {name} {left}.")
        self.product_id = product_id
        self.on_hand = on_hand


class PaymentDeclined(ShopError):
    """The provider refused the card; stock and cart are as before."""

    code = ErrorCode.PAYMENT_DECLINED

    def __init__(self, sentence: str = "Pembayaran ditolak. Kartu Anda tidak didebit.") -> None:
        super().__init__(sentence)


class PaymentUnresolved(ShopError):
    """Nobody knows yet whether the provider charged: the order stays pending until reconciliation."""

    code = ErrorCode.PAYMENT_UNRESOLVED

    def __init__(self, order_id: int) -> None:
        super().__init__("Penyedia pembayaran belum menjawab. Pesanan Anda menunggu kepastian; jangan membayar lagi.")
        self.order_id = order_id


class CheckoutExpired(ShopError):
    """The payment form belongs to no open checkout, or its key was already used for another payment."""

    code = ErrorCode.CHECKOUT_EXPIRED

    def __init__(
        self, sentence: str = "Formulir pembayaran ini sudah tidak berlaku. Mulai lagi dari keranjang."
    ) -> None:
        super().__init__(sentence)


class EmailTaken(ShopError):
    """An account with this address exists."""

    code = ErrorCode.EMAIL_TAKEN

    def __init__(self) -> None:
        super().__init__("Alamat email ini sudah terdaftar. Silakan masuk.")


class BadCredentials(ShopError):
    """Address and password do not belong together."""

    code = ErrorCode.BAD_CREDENTIALS

    def __init__(self) -> None:
        super().__init__("Email atau kata sandi salah.")


class Forbidden(ShopError):
    """The request came from another site's page."""

    code = ErrorCode.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("Permintaan ini datang dari situs lain dan ditolak.")


class Unavailable(ShopError):
    """The database does not answer; nothing is known about what it did last."""

    code = ErrorCode.UNAVAILABLE

    def __init__(self) -> None:
        super().__init__("Toko sedang tidak dapat diakses. Silakan coba lagi sebentar lagi.")
