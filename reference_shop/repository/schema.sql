-- The shop's tables; created by the seed in a schema of the shop's own (search_path names it).

CREATE TABLE categories (
    category_id   smallint PRIMARY KEY,
    slug          text NOT NULL UNIQUE,
    name          text NOT NULL,
    department    text NOT NULL,
    product_count integer NOT NULL DEFAULT 0
);

-- product_id is the popularity rank, so that "most popular first" is the primary key's own order.
CREATE TABLE products (
    product_id     integer PRIMARY KEY,
    category_id    smallint NOT NULL REFERENCES categories,
    name           text NOT NULL,
    brand          text NOT NULL,
    seller         text NOT NULL,
    seller_city    text NOT NULL,
    price_idr      bigint NOT NULL CHECK (price_idr > 0),
    list_price_idr bigint NOT NULL CHECK (list_price_idr >= price_idr),
    weight_g       integer NOT NULL,
    rating_tenths  smallint NOT NULL,
    review_count   integer NOT NULL,
    picture_number smallint NOT NULL,
    listed_at      timestamptz NOT NULL,
    description    text NOT NULL,
    keywords       text NOT NULL,
    document       tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('simple', name || ' ' || brand || ' ' || keywords)) STORED
);

-- Apart from products: every sale rewrites this row, and a wide row with a search index would be rewritten with it.
-- reserved counts units of pending orders and of reservations; sold those of orders that were ever paid; returned those
-- that came back. Always: on_hand + reserved + sold - returned = initial.
CREATE TABLE stock (
    product_id integer PRIMARY KEY REFERENCES products,
    initial    integer NOT NULL,
    on_hand    integer NOT NULL CHECK (on_hand >= 0),
    reserved   integer NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    sold       integer NOT NULL DEFAULT 0 CHECK (sold >= 0),
    returned   integer NOT NULL DEFAULT 0 CHECK (returned >= 0)
) WITH (fillfactor = 50);

CREATE TABLE accounts (
    account_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email         text NOT NULL UNIQUE,
    name          text NOT NULL,
    password_hash text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE sessions (
    token_digest bytea PRIMARY KEY,
    account_id   bigint NOT NULL REFERENCES accounts,
    expires_at   timestamptz NOT NULL
);

CREATE TABLE carts (
    cart_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token_digest bytea NOT NULL UNIQUE,
    created_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE cart_lines (
    cart_id    bigint NOT NULL REFERENCES carts,
    product_id integer NOT NULL REFERENCES products,
    quantity   smallint NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (cart_id, product_id)
);

-- A code that begins anew is a new row; the old one stays for the orders that used it.
CREATE TABLE coupons (
    coupon_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code          text NOT NULL,
    amount_idr    bigint NOT NULL CHECK (amount_idr > 0),
    allowed_count integer NOT NULL CHECK (allowed_count > 0),
    used_count    integer NOT NULL DEFAULT 0 CHECK (used_count >= 0),
    active        boolean NOT NULL DEFAULT true
);
CREATE UNIQUE INDEX coupons_by_code ON coupons (code) WHERE active;

CREATE TABLE gift_cards (
    gift_card_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code         text NOT NULL,
    initial_idr  bigint NOT NULL CHECK (initial_idr > 0),
    balance_idr  bigint NOT NULL CHECK (balance_idr >= 0),
    active       boolean NOT NULL DEFAULT true
);
CREATE UNIQUE INDEX gift_cards_by_code ON gift_cards (code) WHERE active;

CREATE TABLE checkouts (
    cart_id         bigint PRIMARY KEY REFERENCES carts,
    idempotency_key uuid NOT NULL UNIQUE,
    coupon_id       bigint REFERENCES coupons,
    gift_card_id    bigint REFERENCES gift_cards,
    recipient       text NOT NULL,
    phone           text NOT NULL,
    street          text NOT NULL,
    city            text NOT NULL,
    province        text NOT NULL,
    postcode        text NOT NULL
);

-- total_idr is what the lines cost less the discount; gift_idr is the part of it that a gift card pays.
CREATE TABLE orders (
    order_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    idempotency_key uuid NOT NULL UNIQUE,
    cart_id         bigint NOT NULL REFERENCES carts,
    account_id      bigint REFERENCES accounts,
    state           text NOT NULL DEFAULT 'pending'
                    CHECK (state IN ('pending', 'paid', 'cancelled', 'returning', 'returned')),
    discount_idr    bigint NOT NULL DEFAULT 0 CHECK (discount_idr >= 0),
    total_idr       bigint NOT NULL CHECK (total_idr > 0),
    gift_idr        bigint NOT NULL DEFAULT 0 CHECK (gift_idr BETWEEN 0 AND total_idr),
    coupon_id       bigint REFERENCES coupons,
    gift_card_id    bigint REFERENCES gift_cards,
    payment_digest  bytea NOT NULL,
    placed_at       timestamptz NOT NULL DEFAULT now(),
    next_check_at   timestamptz NOT NULL,
    recipient       text NOT NULL,
    phone           text NOT NULL,
    street          text NOT NULL,
    city            text NOT NULL,
    province        text NOT NULL,
    postcode        text NOT NULL
);
CREATE INDEX orders_by_account ON orders (account_id, order_id DESC) WHERE account_id IS NOT NULL;
CREATE INDEX orders_by_cart ON orders (cart_id, order_id DESC);
CREATE INDEX orders_open ON orders (next_check_at) WHERE state IN ('pending', 'returning');
CREATE INDEX orders_by_time ON orders (placed_at);
CREATE INDEX orders_by_coupon ON orders (coupon_id) WHERE coupon_id IS NOT NULL;
CREATE INDEX orders_by_gift_card ON orders (gift_card_id) WHERE gift_card_id IS NOT NULL;

CREATE TABLE order_lines (
    order_id   bigint NOT NULL REFERENCES orders,
    product_id integer NOT NULL REFERENCES products,
    quantity   smallint NOT NULL CHECK (quantity > 0),
    price_idr  bigint NOT NULL,
    PRIMARY KEY (order_id, product_id)
);

CREATE TABLE payments (
    idempotency_key uuid PRIMARY KEY,
    order_id        bigint NOT NULL UNIQUE REFERENCES orders,
    amount_idr      bigint NOT NULL,
    state           text NOT NULL CHECK (state IN ('captured', 'declined', 'refunded')),
    settled_at      timestamptz NOT NULL DEFAULT now()
);

-- One product for a while: from starts_at to ends_at it is sold by reservation only.
CREATE TABLE flash_sales (
    sale_id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_id         integer NOT NULL REFERENCES products,
    units              integer NOT NULL CHECK (units > 0),
    limit_per_customer integer NOT NULL CHECK (limit_per_customer > 0),
    starts_at          timestamptz NOT NULL,
    ends_at            timestamptz NOT NULL CHECK (ends_at > starts_at),
    reservation_s      double precision NOT NULL CHECK (reservation_s > 0),
    ticket_count       bigint NOT NULL DEFAULT 0
);
CREATE INDEX flash_sales_by_product ON flash_sales (product_id, sale_id DESC);
CREATE INDEX flash_sales_by_end ON flash_sales (ends_at);

-- held -> ordered -> bought; held -> released (taken out of the cart) or expired; ordered -> held when a card is declined.
CREATE TABLE reservations (
    reservation_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sale_id        bigint NOT NULL REFERENCES flash_sales,
    product_id     integer NOT NULL REFERENCES products,
    cart_id        bigint NOT NULL REFERENCES carts,
    account_id     bigint REFERENCES accounts,
    order_id       bigint REFERENCES orders,
    quantity       smallint NOT NULL CHECK (quantity > 0),
    state          text NOT NULL DEFAULT 'held' CHECK (state IN ('held', 'ordered', 'bought', 'released', 'expired')),
    expires_at     timestamptz NOT NULL
);
CREATE INDEX reservations_by_cart ON reservations (cart_id, sale_id);
CREATE INDEX reservations_by_account ON reservations (account_id, sale_id) WHERE account_id IS NOT NULL;
CREATE INDEX reservations_by_sale ON reservations (sale_id);
CREATE INDEX reservations_by_order ON reservations (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX reservations_due ON reservations (expires_at) WHERE state = 'held';

-- What changed, as whoever changed it saw it; written in the statement that makes the change, and never rewritten.
-- Entries of one product, order or voucher stand in the order in which the changes were made: the row's lock sees to it.
CREATE TABLE ledger (
    entry_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    subject       text NOT NULL CHECK (subject IN ('stock', 'order', 'payment', 'coupon', 'gift_card', 'reservation', 'price')),
    change        text NOT NULL,
    was           text,
    order_id      bigint,
    product_id    integer,
    voucher_id    bigint,
    quantity      integer,
    amount_idr    bigint,
    on_hand_after integer
);
CREATE INDEX ledger_by_time ON ledger USING brin (at);
