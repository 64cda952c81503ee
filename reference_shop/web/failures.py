"""Turns refusals and accidents into pages: one template, one status per error."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

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
    ErrorCode.EMAIL_TAKEN: 409,
    ErrorCode.BAD_CREDENTIALS: 403,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.UNAVAILABLE: 503,
}
_TITLES = {
    400: "Permintaan tidak dapat diproses",
    402: "Pembayaran ditolak",
    403: "Permintaan ditolak",
    404: "Tidak ditemukan",
    405: "Permintaan tidak dapat diproses",
    409: "Stok tidak mencukupi",
    413: "Permintaan terlalu besar",
    503: "Toko sedang sibuk",
    504: "Pembayaran belum pasti",
}
_GENERAL = "Terjadi kesalahan"
_NEXT_STEP = {
    402: ("/checkout/payment", "Coba kartu lain"),
    409: ("/cart", "Ubah keranjang"),
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
        status = STATUS[error.code]
        step = _NEXT_STEP.get(status)
        if isinstance(error, PaymentUnresolved):
            step = (f"/orders/{error.order_id}/confirmation", "Lihat keadaan pesanan")
        product_id = error.product_id if isinstance(error, OutOfStock) else None
        response = self._page(request, status, str(error), code=error.code, step=step, product_id=product_id)
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
    ) -> Response:
        return self._pages.personal(
            "error.html",
            status,
            kind=page_kind(request.url.path),
            shown_status=status,
            title=_TITLES.get(status, _GENERAL),
            sentence=sentence,
            code=str(code),
            step=step,
            product_id=product_id,
        )
