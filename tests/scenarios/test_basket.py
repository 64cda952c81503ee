from scenarios.basket import Basket


def filled() -> Basket:
    """Two units of product 7, and one of a flash sale's product 9 that is kept until the instant 15."""
    basket = Basket()
    basket.put(7, 2)
    basket.put(9, 1, kept_until=15.0)
    return basket


def test_a_basket_counts_what_was_put_in():
    basket = filled()
    basket.put(7, 1)
    assert (basket.count, basket.units_of(7), basket.lines) == (4, 3, ((7, 3), (9, 1)))


def test_while_units_are_kept_only_the_whole_cart_is_right():
    assert filled().agrees({7: 2, 9: 1}, now=14.9)
    assert not filled().agrees({7: 2}, now=14.9)
    assert filled().agrees_with_count(3, now=14.9)
    assert not filled().agrees_with_count(2, now=14.9)


def test_when_their_time_is_up_the_cart_without_them_is_right_too():
    assert filled().agrees({7: 2}, now=15.0)
    assert filled().agrees({7: 2, 9: 1}, now=15.0)
    assert filled().agrees_with_count(2, now=15.0)


def test_nothing_else_may_be_missing_or_strange_then_either():
    assert not filled().agrees({7: 1}, now=15.0)
    assert not filled().agrees({7: 2, 9: 2}, now=15.0)
    assert not filled().agrees({7: 2, 8: 1}, now=15.0)
    assert not filled().agrees_with_count(1, now=15.0)
    assert not filled().agrees_with_count(4, now=15.0)


def test_of_several_units_of_a_sale_those_put_in_first_go_first():
    basket = Basket()
    basket.put(9, 1, kept_until=15.0)
    basket.put(9, 1, kept_until=18.0)
    assert basket.agrees({9: 1}, now=15.0)
    assert not basket.agrees({9: 1}, now=14.9)


def test_what_the_shop_shows_is_learnt():
    basket = filled()
    basket.learn(((7, 2),))
    assert (basket.count, basket.units_of(9)) == (2, 0)
    assert not basket.agrees({7: 2, 9: 1}, now=20.0)


def test_a_cart_of_which_nobody_is_sure_is_taken_as_it_is():
    basket = filled()
    basket.sure = False
    assert basket.agrees({8: 5}, now=0.0)
    assert basket.agrees_with_count(5, now=0.0)


def test_only_a_cart_of_a_flash_sale_empties_itself():
    basket = Basket()
    assert not basket.may_be_empty(now=20.0)
    basket.put(9, 1, kept_until=15.0)
    assert (basket.may_be_empty(now=14.9), basket.may_be_empty(now=15.0)) == (False, True)
    basket.put(7, 1)
    assert not basket.may_be_empty(now=20.0)


def test_a_cart_that_was_paid_for_is_empty_for_certain():
    basket = filled()
    basket.sure = False
    basket.clear()
    assert (basket.sure, basket.count, basket.agrees({}, now=0.0)) == (True, 0, True)
