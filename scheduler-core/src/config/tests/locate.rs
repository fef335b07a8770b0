//! Places of keys and values.

use super::*;

#[test]
fn places_are_found_in_every_style() {
    #[track_caller]
    fn check(text: &str, path: &[&str], value: Option<(usize, usize)>, key: Option<(usize, usize)>) {
        let pair = |place: locator::Place| (place.line, place.column);
        assert_eq!(locator::value(text, path).map(pair), value, "value in {text:?}");
        assert_eq!(locator::key(text, path).map(pair), key, "key in {text:?}");
    }
    check("a: 1\nb: 2", &["b"], Some((2, 4)), Some((2, 1)));
    check("a:\n  b:\n    c: [x]", &["a", "b", "c"], Some((3, 8)), Some((3, 5)));
    check("{a: {b: 1}, 'c': 2}", &["c"], Some((1, 18)), Some((1, 13)));
    check("{a: {b: 1}}", &["a", "b"], Some((1, 9)), Some((1, 6)));
    check("# a: 0\na: # why\n  - 1", &["a"], Some((3, 3)), Some((2, 1)));
    check("x: 'a: 1'\na: 1", &["a"], Some((2, 4)), Some((2, 1)));
    check("1: x\n[p, q]: y\n{r: s}: z\nnull: n\n1.5: f\na: 1", &["a"], Some((6, 4)), Some((6, 1)));
    check("a: 1", &["b"], None, None);
}
