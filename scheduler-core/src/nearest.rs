//! "Did you mean": the known names closest to one that is not known.

/// The up to three `known` names nearest to `given`, best first; empty when nothing is close.
///
/// Distance is Damerau-Levenshtein without regard to case; a name counts as near when at most a third of its
/// letters (and at least two) differ, or when one starts with the other.
///
/// ```
/// let known = ["chronos", "crontab", "none"];
/// assert_eq!(scheduler_core::nearest("chrnos", known), ["chronos"]);
/// assert!(scheduler_core::nearest("zzz", known).is_empty());
/// ```
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let given = given.to_lowercase();
    let mut scored: Vec<(usize, &str)> = known
        .into_iter()
        .filter_map(|name| {
            let lower = name.to_lowercase();
            let distance = strsim::damerau_levenshtein(&given, &lower);
            let longest = given.chars().count().max(lower.chars().count());
            let starts =
                given.len() >= 2 && (lower.starts_with(&given) || given.starts_with(&lower) && lower.len() >= 2);
            (starts || distance <= (longest / 3).max(2) && distance < longest).then_some((distance, name))
        })
        .collect();
    scored.sort_unstable();
    scored.into_iter().take(3).map(|(_, name)| name).collect()
}
