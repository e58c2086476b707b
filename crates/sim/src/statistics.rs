//! Quantiles, and confidence intervals over seeds.
