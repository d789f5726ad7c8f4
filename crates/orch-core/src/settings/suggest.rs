//! The nearest known word to one that is not known.

/// The candidate nearest to `given`, if any is near enough to be meant.
pub(crate) fn nearest<'a>(
    given: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // A word of hostile length can't be a slip of a known one, and comparing it costs.
    if given.len() > 100 {
        return None;
    }
    let given = given.to_lowercase();
    let limit = (given.chars().count() / 3).clamp(1, 6);
    candidates
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(&given, word), word))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// The words of a remedy that names the nearest candidate.
pub(super) fn did_you_mean(nearest: Option<&str>) -> Option<String> {
    nearest.map(|word| format!("did you mean `{word}`?"))
}
