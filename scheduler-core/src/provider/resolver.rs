//! From a name in config.yaml to a provider: [`resolve`] always answers one, and says why if it isn't the one that was asked
//! for.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::{Availability, CronScheduler, Liveness, Ticker};
use crate::{Result, liveness::Heartbeat, nearest};

/// Names that mean the built-in ticker.
///
/// ```
/// use scheduler_core::provider::{BUILTIN_ALIASES, resolve};
/// assert!(BUILTIN_ALIASES.iter().all(|alias| resolve(alias, &[]).reason.is_none()));
/// ```
pub const BUILTIN_ALIASES: [&str; 3] = ["builtin", "built-in", "in-process"];

/// Makes a provider by name.
///
/// ```
/// use std::sync::Arc;
/// use scheduler_core::{Result, provider::{CronScheduler, ProviderFactory, Ticker, resolve}};
///
/// /// Finds the ticker under another name.
/// struct Pulse;
///
/// impl ProviderFactory for Pulse {
///     fn name(&self) -> &str {
///         "pulse"
///     }
///
///     fn build(&self) -> Result<Arc<dyn CronScheduler>> {
///         Ok(Arc::new(Ticker))
///     }
/// }
/// assert_eq!(resolve("pulse", &[Arc::new(Pulse)]).reason, None);
/// ```
pub trait ProviderFactory: Send + Sync {
    /// The name it answers to.
    fn name(&self) -> &str;

    /// Makes it, touching nothing outside.
    ///
    /// # Errors
    /// Why it can't be made.
    fn build(&self) -> Result<Arc<dyn CronScheduler>>;
}

/// What a name came to.
///
/// ```
/// use scheduler_core::provider::{Resolved, Ticker};
/// assert_eq!(Resolved::from(Ticker).reason, None);
/// let fallback = Resolved::fallback("no such bus");
/// assert_eq!((fallback.provider.name(), fallback.reason.as_deref()), ("builtin", Some("no such bus")));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Resolved {
    /// The provider to start; always one.
    pub provider: Arc<dyn CronScheduler>,
    /// Why it isn't the one that was asked for, in one sentence; `None` if it is.
    pub reason: Option<String>,
}

impl Resolved {
    /// The built-in ticker, because of `reason`.
    pub fn fallback(reason: impl Into<String>) -> Self {
        Self { provider: Arc::new(Ticker), reason: Some(reason.into()) }
    }

    /// Says in `beat` who fires, and why it isn't the one that was asked for.
    ///
    /// ```
    /// use std::time::Duration;
    /// use scheduler_core::{liveness::Heartbeat, provider::Resolved};
    /// let mut beat = Heartbeat::new("node", jiff::Timestamp::UNIX_EPOCH, Duration::from_secs(60));
    /// Resolved::fallback("no such bus").tell(&mut beat);
    /// assert_eq!((beat.provider.as_str(), beat.provider_ticks), ("builtin", true));
    /// assert_eq!(beat.fallback_reason.as_deref(), Some("no such bus"));
    /// ```
    pub fn tell(&self, beat: &mut Heartbeat) {
        self.provider.name().clone_into(&mut beat.provider);
        beat.provider_ticks = self.provider.liveness() == Liveness::Ticks;
        beat.fallback_reason.clone_from(&self.reason);
    }
}

impl<P: CronScheduler + 'static> From<P> for Resolved {
    /// The one that was asked for.
    fn from(provider: P) -> Self {
        Self { provider: Arc::new(provider), reason: None }
    }
}

/// The provider that `name` asks for, out of `sources` (earlier ones win); the built-in if there is none that works.
///
/// ```
/// use scheduler_core::provider::resolve;
/// assert!(resolve("", &[]).reason.is_none());
/// let resolved = resolve("builtn", &[]);
/// assert_eq!(resolved.provider.name(), "builtin");
/// assert!(resolved.reason.unwrap().contains("did you mean `builtin`?"));
/// ```
pub fn resolve(name: &str, sources: &[Arc<dyn ProviderFactory>]) -> Resolved {
    let name = name.trim();
    if name.is_empty() || BUILTIN_ALIASES.contains(&name) {
        return Resolved { provider: Arc::new(Ticker), reason: None };
    }
    let Some(factory) = sources.iter().find(|factory| factory.name() == name) else {
        let known = BUILTIN_ALIASES.into_iter().take(1).chain(sources.iter().map(|factory| factory.name()));
        let known: Vec<&str> = known.collect();
        let suggestion = match nearest(name, known.iter().copied()).first() {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("there are `{}`", known.join("`, `")),
        };
        return Resolved::fallback(format!("no provider is called `{name}`; {suggestion}"));
    };
    // A provider's own code must not be able to leave cron without a trigger, not even by panicking here.
    let made = catch_unwind(AssertUnwindSafe(|| {
        let provider = factory.build()?;
        let availability = provider.is_available();
        Ok::<_, crate::Error>((provider, availability))
    }));
    match made {
        Ok(Ok((provider, Availability::Available))) => Resolved { provider, reason: None },
        Ok(Ok((_, Availability::Unavailable(why)))) => {
            Resolved::fallback(format!("provider `{name}` is not available here: {why}"))
        }
        Ok(Err(error)) => Resolved::fallback(format!("provider `{name}` could not be made: {error}")),
        Err(_) => Resolved::fallback(format!("provider `{name}` panicked while it was made")),
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::{Error, ErrorKind, provider::SchedulerContext};

    struct Factory(&'static str, fn() -> Result<Arc<dyn CronScheduler>>);

    impl ProviderFactory for Factory {
        fn name(&self) -> &str {
            self.0
        }

        fn build(&self) -> Result<Arc<dyn CronScheduler>> {
            (self.1)()
        }
    }

    struct Provider(Availability);

    #[async_trait]
    impl CronScheduler for Provider {
        fn name(&self) -> &'static str {
            "good"
        }

        async fn start(&self, _: SchedulerContext) -> Result<()> {
            Ok(())
        }

        fn is_available(&self) -> Availability {
            self.0.clone()
        }
    }

    #[test]
    fn every_name_ends_at_a_provider_and_every_fallback_says_why() {
        let sources: Vec<Arc<dyn ProviderFactory>> = vec![
            Arc::new(Factory("good", || Ok(Arc::new(Provider(Availability::Available))))),
            Arc::new(Factory("away", || Ok(Arc::new(Provider(Availability::Unavailable("no bus".into())))))),
            Arc::new(Factory("broken", || Err(Error::new(ErrorKind::Foreign, "bad config")))),
            Arc::new(Factory("bomb", || panic!("boom"))),
        ];
        let check = |name: &str, provider: &str, reason: Option<&str>| {
            let resolved = resolve(name, &sources);
            assert_eq!(resolved.provider.name(), provider, "{name}");
            match (resolved.reason, reason) {
                (None, None) => {}
                (Some(got), Some(want)) => assert!(got.contains(want), "{name}: {got}"),
                other => panic!("{name}: {other:?}"),
            }
        };
        for alias in ["", "  ", "builtin", "built-in", "in-process"] {
            check(alias, "builtin", None);
        }
        check("good", "good", None);
        check("goood", "builtin", Some("did you mean `good`?"));
        check("qqqqqqq", "builtin", Some("there are `builtin`, `good`"));
        check("away", "builtin", Some("not available here: no bus"));
        check("broken", "builtin", Some("could not be made: bad config"));
        check("bomb", "builtin", Some("panicked"));
    }
}
