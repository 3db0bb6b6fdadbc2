namespace Groundwork.Communication.Gateway.Steps;

/// <summary>
/// What a request passes on its way, in the order in which it passes it (decision 0015). A route has those stages that
/// it configures; the order is nobody's to choose.
/// </summary>
internal enum Stage
{
    /// <summary>The bounds of the listener.</summary>
    Listener,

    /// <summary>Which route takes it.</summary>
    Match,

    /// <summary>Lists of who never passes.</summary>
    Deny,

    /// <summary>Questions of browsers about other origins.</summary>
    Cors,

    /// <summary>Who may pass.</summary>
    Access,

    /// <summary>How many may.</summary>
    Limit,

    /// <summary>Whether the request is what the service expects, and no attack.</summary>
    Inspection,

    /// <summary>Faults put in on purpose.</summary>
    Injection,

    /// <summary>An answer that is known already.</summary>
    Cache,

    /// <summary>What the route changes on the way.</summary>
    Transform,

    /// <summary>What the gateway answers itself: redirects, files, several answers in one.</summary>
    Answer,

    /// <summary>Whether the upstream is called at all: breaker and bulkhead.</summary>
    Admission,

    /// <summary>Which instance.</summary>
    Choice,

    /// <summary>A try at an instance.</summary>
    Attempt,

    /// <summary>How the answer is written: compressed.</summary>
    Compression,
}
