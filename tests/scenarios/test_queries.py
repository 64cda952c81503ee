from random import Random

from scenarios.queries import MISSPELT_RATIO, intended_query, misspell, typed_query


def test_a_query_is_words_side_by_side_in_a_name_that_was_seen():
    queries = {intended_query(["Kemeja Batik Pria XL 40"], Random(seed), 1.0) for seed in range(60)}
    assert queries == {"kemeja", "batik", "pria", "kemeja batik", "batik pria"}


def test_a_shopper_who_has_seen_nothing_searches_all_the_same():
    assert intended_query([], Random(1), 1.0)


def test_names_without_words_are_passed_over():
    assert intended_query(["12 x 40", "Tas Kulit"], Random(1), 1.0) in {"tas", "kulit", "tas kulit"}


def test_a_misspelt_query_is_no_word_of_the_original():
    for seed in range(50):
        assert set(misspell("kemeja batik", Random(seed)).split()).isdisjoint({"kemeja"})


def test_so_many_queries_are_misspelt_as_find_nothing_elsewhere():
    rng = Random(20261123)
    typed = [typed_query("batik", rng) for _ in range(10_000)]
    assert abs(sum(query != "batik" for query in typed) / 10_000 - MISSPELT_RATIO) < 0.011
