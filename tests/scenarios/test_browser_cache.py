import pytest

from scenarios.browser_cache import BrowserCache, files_of, freshness


@pytest.mark.parametrize(
    ("cache_control", "storable", "lifetime_s"),
    [
        ("public, max-age=31536000, immutable", True, 31536000.0),
        ("private, no-store", False, 0.0),
        ("public, max-age=10, s-maxage=300, stale-while-revalidate=60", True, 10.0),
        ("no-cache, max-age=60", True, 0.0),
        ('Max-Age="30"', True, 30.0),
        ("s-maxage=300", True, 0.0),
        ("", True, 0.0),
    ],
)
def test_a_private_cache_reads_cache_control(cache_control, storable, lifetime_s):
    allowed = freshness(cache_control)
    assert (allowed.storable, allowed.lifetime_s) == (storable, lifetime_s)


def kept(headers: dict[str, str]) -> BrowserCache[str]:
    cache = BrowserCache[str]()
    cache.keep("/a", headers, "body", now=100.0)
    return cache


def test_an_answer_is_used_without_asking_until_its_lifetime_ends():
    cache = kept({"cache-control": "max-age=60"})
    assert cache.fresh("/a", 159.9) is not None
    assert cache.fresh("/a", 160.0) is None


def test_time_spent_in_a_shared_cache_counts():
    assert kept({"cache-control": "max-age=60", "age": "45"}).fresh("/a", 120.0) is None


def test_a_stale_answer_with_an_etag_is_revalidated():
    cache = kept({"cache-control": "max-age=0", "etag": '"v1"'})
    assert cache.fresh("/a", 100.0) is None
    stale = cache.stale("/a")
    assert stale is not None
    assert (stale.etag, stale.body) == ('"v1"', "body")


def test_a_304_makes_an_answer_fresh_again():
    cache = kept({"cache-control": "max-age=60", "etag": '"v1"'})
    cache.keep("/a", {"cache-control": "max-age=60", "etag": '"v1"'}, "body", now=200.0)
    assert cache.fresh("/a", 259.0) is not None


@pytest.mark.parametrize(
    "headers",
    [
        {"cache-control": "no-store", "etag": '"v1"'},
        {"cache-control": "max-age=60", "vary": "*"},
        {"cache-control": "max-age=0"},
        {},
    ],
)
def test_what_may_not_or_need_not_be_kept_is_not(headers):
    cache = kept(headers)
    assert cache.fresh("/a", 100.0) is None
    assert cache.stale("/a") is None


def test_no_store_drops_the_older_answer_too():
    cache = kept({"cache-control": "max-age=60", "etag": '"v1"'})
    cache.keep("/a", {"cache-control": "no-store"}, "newer", now=101.0)
    assert cache.stale("/a") is None


def test_a_page_makes_a_browser_fetch_its_visible_files_once():
    html = """
    <link rel="stylesheet" href="/static/shop.1a2b.css"><link rel="canonical" href="/product/7">
    <link href="/static/icon.svg" rel="icon"><script src="/static/shop.3c4d.js" defer></script>
    <script>let inline = 1</script>
    <img src="/images/products/7-full.jpg" alt=""><img src="/images/products/7-full.jpg" alt="again">
    <img loading="lazy" src="/images/products/8-thumb.jpg" alt=""><img src="https://elsewhere.example/x.png" alt="">
    <svg><use href="/static/icons.svg#cart"></use><use href="/static/icons.svg#bin"></use></svg>
    <img src="//elsewhere.example/y.png" alt=""><a href="/product/9">next</a><img src="/i?a=1&amp;b=2" alt="">
    """
    assert list(files_of(html)) == [
        "/static/shop.1a2b.css",
        "/static/icon.svg",
        "/static/shop.3c4d.js",
        "/images/products/7-full.jpg",
        "/static/icons.svg",
        "/i?a=1&b=2",
    ]
