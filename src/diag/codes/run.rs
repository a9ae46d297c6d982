//! Codes of problems outside the text: manifest, files, sources, stores.

super::codes! { Run:
    /// A key that the manifest does not know.
    UNKNOWN_MANIFEST_KEY = "unknown_manifest_key",
    /// A channel names a driver that there is not.
    UNKNOWN_DRIVER = "unknown_driver",
    /// A channel's table lacks a key or has a wrong value.
    INVALID_CHANNEL = "invalid_channel",
    /// The other side of a channel cannot be reached, or its folder not written.
    CHANNEL_UNAVAILABLE = "channel_unavailable",
}
