//! What stays on the worker between jobs: loaded models, caches.

use std::any::{Any, TypeId};
use std::collections::HashMap;

/// Values kept on the worker thread from one job to the next, one of each type.
///
/// A step takes what it needs and puts it back. A step that panics in between leaves nothing
/// behind, so a value that may be half changed is never used again.
#[derive(Default)]
pub struct Resources {
    kept: HashMap<TypeId, Box<dyn Any + Send>>,
}

impl Resources {
    /// Takes the value of this type out, if there is one.
    pub fn take<T: Any + Send>(&mut self) -> Option<Box<T>> {
        self.kept
            .remove(&TypeId::of::<T>())
            .and_then(|value| value.downcast().ok())
    }

    /// Keeps a value, in place of an older one of its type.
    pub fn put<T: Any + Send>(&mut self, value: Box<T>) {
        self.kept.insert(TypeId::of::<T>(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::Resources;

    #[test]
    fn a_value_is_kept_once_and_by_type() {
        let mut kept = Resources::default();
        kept.put(Box::new(1_u32));
        kept.put(Box::new(2_u32));
        kept.put(Box::new("text"));
        assert_eq!(kept.take::<u32>().as_deref(), Some(&2));
        assert_eq!(kept.take::<u32>(), None, "taken before");
        assert_eq!(kept.take::<&str>().as_deref(), Some(&"text"));
    }
}
