-- Built after the catalogue was copied in: one sort each instead of 20,000 insertions.

CREATE INDEX products_by_category ON products (category_id, product_id);
CREATE INDEX products_by_price ON products (category_id, price_idr, product_id);
CREATE INDEX products_by_listing ON products (category_id, listed_at DESC, product_id);
CREATE INDEX products_latest ON products (listed_at DESC, product_id);
CREATE INDEX products_document ON products USING gin (document);
