"""Every way the shop says no; raised by all layers above, turned into pages by `web.failures`.

    ShopError
    ├── InvalidInput        a field does not hold what it must
    ├── NotFound            there is no such thing, or not for this shopper
    ├── OutOfStock          fewer units are left than were asked for
    ├── PaymentDeclined     the provider refused the card; stock and cart are as before
    ├── PaymentUnresolved   nobody knows yet whether the provider charged; the order is pending
    ├── CheckoutExpired     the payment form belongs to no open checkout, or its key was used for another payment
    ├── PriceChanged        the total is no longer the one that the shopper agreed to
    ├── VoucherRefused      a coupon or gift card is unknown or used up; it is off the checkout now
    ├── SaleNotOpen         a flash sale has not begun, or is over
    ├── SaleLimit           a customer wants more of a flash sale than each may have
    ├── ReservationExpired  what was held in a flash sale went back to the shelf
    ├── NotReturnable       only a paid order can be sent back
    ├── EmailTaken          an account with this address exists
    ├── BadCredentials      address and password do not belong together
    ├── Forbidden           the request came from another site
    ├── Unavailable         the database does not answer
    ├── Overloaded          more is asked for than can be served; nothing was done
    └── PaymentsUnavailable the payment provider is down; no order was placed

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
    PRICE_CHANGED = "price_changed"
    VOUCHER_REFUSED = "voucher_refused"
    SALE_NOT_OPEN = "sale_not_open"
    SALE_LIMIT = "sale_limit"
    RESERVATION_EXPIRED = "reservation_expired"
    NOT_RETURNABLE = "not_returnable"
    EMAIL_TAKEN = "email_taken"
    BAD_CREDENTIALS = "bad_credentials"
    FORBIDDEN = "forbidden"
    UNAVAILABLE = "unavailable"
    OVERLOADED = "overloaded"
    PAYMENTS_UNAVAILABLE = "payments_unavailable"


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


class PriceChanged(ShopError):
    """The total is no longer the one that the shopper agreed to."""

    code = ErrorCode.PRICE_CHANGED

    def __init__(self) -> None:
        super().__init__("Harga berubah sejak Anda membuka halaman pembayaran. Periksa total yang baru.")


class VoucherRefused(ShopError):
    """A coupon or gift card is unknown or used up; it is off the checkout now."""

    code = ErrorCode.VOUCHER_REFUSED

    def __init__(self, sentence: str = "Kupon atau kartu hadiah ini tidak berlaku atau sudah habis.") -> None:
        super().__init__(sentence)


class SaleNotOpen(ShopError):
    """A flash sale has not begun, or is over."""

    code = ErrorCode.SALE_NOT_OPEN

    def __init__(self, sentence: str = "Penjualan kilat ini belum dimulai.") -> None:
        super().__init__(sentence)


class SaleLimit(ShopError):
    """A customer wants more of a flash sale than each may have."""

    code = ErrorCode.SALE_LIMIT

    def __init__(self, limit: int) -> None:
        super().__init__(f"Setiap pelanggan boleh membeli paling banyak {limit} buah dalam penjualan kilat ini.")


class ReservationExpired(ShopError):
    """What was held in a flash sale went back to the shelf."""

    code = ErrorCode.RESERVATION_EXPIRED

    def __init__(self) -> None:
        super().__init__("Waktu untuk membayar sudah lewat; barang ini kembali ke rak.")


class NotReturnable(ShopError):
    """Only a paid order can be sent back."""

    code = ErrorCode.NOT_RETURNABLE

    def __init__(self) -> None:
        super().__init__("Pesanan ini tidak dapat dikembalikan.")


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


class Overloaded(ShopError):
    """More is asked for than can be served in time; nothing was done."""

    code = ErrorCode.OVERLOADED

    def __init__(self) -> None:
        super().__init__("Toko sedang sangat ramai. Silakan coba lagi sebentar lagi.")


class PaymentsUnavailable(ShopError):
    """The payment provider is down; no order was placed."""

    code = ErrorCode.PAYMENTS_UNAVAILABLE

    def __init__(self) -> None:
        super().__init__("Pembayaran sedang terganggu. Keranjang Anda aman; silakan coba lagi sebentar lagi.")
