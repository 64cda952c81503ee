"""Turns refusals and accidents into pages: one template, one status per error."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from reference_shop import metrics
from reference_shop.domain.errors import ErrorCode, OutOfStock, PaymentUnresolved, ShopError
from reference_shop.web.kinds import page_kind
from reference_shop.web.pages import Pages

STATUS = {
    ErrorCode.INVALID_INPUT: 400,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.OUT_OF_STOCK: 409,
    ErrorCode.PAYMENT_DECLINED: 402,
    ErrorCode.PAYMENT_UNRESOLVED: 504,
    ErrorCode.CHECKOUT_EXPIRED: 400,
    ErrorCode.PRICE_CHANGED: 409,
    ErrorCode.VOUCHER_REFUSED: 409,
    ErrorCode.SALE_NOT_OPEN: 409,
    ErrorCode.SALE_LIMIT: 409,
    ErrorCode.RESERVATION_EXPIRED: 409,
    ErrorCode.NOT_RETURNABLE: 409,
    ErrorCode.EMAIL_TAKEN: 409,
    ErrorCode.BAD_CREDENTIALS: 403,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.UNAVAILABLE: 503,
    ErrorCode.OVERLOADED: 503,
    ErrorCode.PAYMENTS_UNAVAILABLE: 503,
}
_TITLES = {
    400: "Permintaan tidak dapat diproses",
    402: "Pembayaran ditolak",
    403: "Permintaan ditolak",
    404: "Tidak ditemukan",
    405: "Permintaan tidak dapat diproses",
    409: "Tidak dapat dilanjutkan",
    413: "Permintaan terlalu besar",
    503: "Toko sedang sibuk",
    504: "Pembayaran belum pasti",
}
_GENERAL = "Terjadi kesalahan"
_CART = ("/cart", "Ubah keranjang")
_PAYMENT = ("/checkout/payment", "Kembali ke pembayaran")
_NEXT_STEP = {
    ErrorCode.PAYMENT_DECLINED: ("/checkout/payment", "Coba kartu lain"),
    ErrorCode.OUT_OF_STOCK: _CART,
    ErrorCode.SALE_LIMIT: _CART,
    ErrorCode.RESERVATION_EXPIRED: _CART,
    ErrorCode.PRICE_CHANGED: _PAYMENT,
    ErrorCode.VOUCHER_REFUSED: _PAYMENT,
    ErrorCode.NOT_RETURNABLE: ("/orders", "Semua pesanan"),
    ErrorCode.EMAIL_TAKEN: ("/login", "Masuk"),
}
_RETRY_AFTER_S = "2"


class Failures:
    """Exception handlers."""

    def __init__(self, pages: Pages) -> None:
        """Draw with these templates."""
        self._pages = pages

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Answer a ShopError."""
        assert isinstance(error, ShopError)  # noqa: S101  (registered for nothing else)
        if error.code is ErrorCode.PAYMENTS_UNAVAILABLE:
            metrics.refusals.add("circuit-breaker")
        status = STATUS[error.code]
        step = _NEXT_STEP.get(error.code)
        if isinstance(error, PaymentUnresolved):
            step = (f"/orders/{error.order_id}/confirmation", "Lihat keadaan pesanan")
        product_id = error.product_id if isinstance(error, OutOfStock) else None
        title = "Stok tidak mencukupi" if isinstance(error, OutOfStock) else _TITLES.get(status, _GENERAL)
        response = self._page(
            request, status, str(error), code=error.code, step=step, product_id=product_id, title=title
        )
        if status == 503:
            response.headers["retry-after"] = _RETRY_AFTER_S
        return response

    async def complain(self, request: Request, error: Exception) -> Response:
        """Answer what the router or the server itself refuses."""
        assert isinstance(error, HTTPException)  # noqa: S101  (registered for nothing else)
        code = ErrorCode.NOT_FOUND if error.status_code == 404 else ErrorCode.INVALID_INPUT
        sentence = "Halaman yang Anda cari tidak ada." if error.status_code == 404 else "Permintaan ini tidak dikenal."
        response = self._page(request, error.status_code, sentence, code=code)
        response.headers.update(error.headers or {})
        return response

    async def apologise(self, request: Request, _error: Exception) -> Response:
        """Answer an accident of ours; the server logs what it was."""
        return self._page(request, 500, "Terjadi kesalahan di toko kami. Silakan coba lagi.", code="internal")

    def _page(
        self,
        request: Request,
        status: int,
        sentence: str,
        *,
        code: str,
        step: tuple[str, str] | None = None,
        product_id: int | None = None,
        title: str | None = None,
    ) -> Response:
        return self._pages.personal(
            request,
            "error.html",
            status,
            kind=page_kind(request.url.path),
            shown_status=status,
            title=title or _TITLES.get(status, _GENERAL),
            sentence=sentence,
            code=str(code),
            step=step,
            product_id=product_id,
        )
