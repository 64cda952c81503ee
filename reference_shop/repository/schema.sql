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
-- sold counts the units of pending and paid orders.
CREATE TABLE stock (
    product_id integer PRIMARY KEY REFERENCES products,
    initial    integer NOT NULL,
    on_hand    integer NOT NULL CHECK (on_hand >= 0),
    sold       integer NOT NULL DEFAULT 0 CHECK (sold >= 0)
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

CREATE TABLE checkouts (
    cart_id         bigint PRIMARY KEY REFERENCES carts,
    idempotency_key uuid NOT NULL UNIQUE,
    recipient       text NOT NULL,
    phone           text NOT NULL,
    street          text NOT NULL,
    city            text NOT NULL,
    province        text NOT NULL,
    postcode        text NOT NULL
);

CREATE TABLE orders (
    order_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    idempotency_key uuid NOT NULL UNIQUE,
    cart_id         bigint NOT NULL REFERENCES carts,
    account_id      bigint REFERENCES accounts,
    state           text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'paid', 'cancelled')),
    total_idr       bigint NOT NULL CHECK (total_idr > 0),
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
CREATE INDEX orders_pending ON orders (next_check_at) WHERE state = 'pending';
CREATE INDEX orders_by_time ON orders (placed_at);

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
    state           text NOT NULL CHECK (state IN ('captured', 'declined')),
    settled_at      timestamptz NOT NULL DEFAULT now()
);
