//! How much may run at once: [`Limits`], which whoever admits, claims and starts brings along.

use std::{collections::BTreeMap, sync::Arc};

/// The bounds on what may run at once, as configured here.
///
/// ```
/// use scheduler_core::store::Limits;
/// let narrow = Limits { max_parallel: 4, ..Limits::default() };
/// assert_eq!(narrow.catch_up, 4);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Open runs in all.
    pub max_parallel: usize,
    /// Late ones among them: a backlog must not crowd out what is due now.
    pub catch_up: usize,
    /// Open runs of the jobs of a group, for each that has a limit.
    pub groups: Groups,
}

impl Limits {
    /// Nothing has a place.
    pub(crate) const NO_PLACE: Self = Self { max_parallel: 0, catch_up: 0, groups: Groups::NONE };
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_parallel: 256, catch_up: 4, groups: Groups::NONE }
    }
}

/// How many runs of each group of jobs may be open at once; a group that isn't named here has no limit. Cheap to clone.
///
/// ```
/// use scheduler_core::store::{Groups, Limits};
/// let groups: Groups = [("backups".to_owned(), 2)].into_iter().collect();
/// assert_eq!((groups.most("backups"), groups.most("reports")), (Some(2), None));
/// let limits = Limits { groups, ..Limits::default() };
/// assert_ne!(limits, Limits { groups: Groups::NONE, ..limits.clone() });
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Groups(Option<Arc<BTreeMap<String, usize>>>);

impl Groups {
    /// No group has a limit.
    pub const NONE: Self = Self(None);

    /// Each group that has a limit, with that, by name.
    ///
    /// ```
    /// use scheduler_core::store::Groups;
    /// let groups: Groups = [("reports".to_owned(), 1), ("backups".to_owned(), 2)].into_iter().collect();
    /// assert_eq!(groups.iter().collect::<Vec<_>>(), [("backups", 2), ("reports", 1)]);
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (&str, usize)> {
        self.0.iter().flat_map(|groups| groups.iter().map(|(group, most)| (group.as_str(), *most)))
    }

    /// The limit of `group`, if it has one.
    pub fn most(&self, group: &str) -> Option<usize> {
        self.0.as_ref()?.get(group).copied()
    }
}

impl FromIterator<(String, usize)> for Groups {
    fn from_iter<I: IntoIterator<Item = (String, usize)>>(groups: I) -> Self {
        let groups: BTreeMap<String, usize> = groups.into_iter().collect();
        Self((!groups.is_empty()).then(|| Arc::new(groups)))
    }
}
