from pix2seq_keras.data.sources.short_repr import short_repr


def test_values_are_cut_to_the_length():
    assert short_repr("a" * 1000, 10) == "'aaaaaaaaa"
    assert short_repr("short") == "'short'"


def test_nested_and_repeated_values_are_not_expanded():
    deep, wide = [], ["x"]
    for _ in range(5000):
        deep = [deep]
    for _ in range(60):
        wide = [wide, wide]  # 2⁶⁰ elements, as YAML aliases can make

    assert short_repr(deep) == "[[[[...]]]]"
    assert len(short_repr(wide)) <= 80
