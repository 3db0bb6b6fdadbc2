using Groundwork.Wire;

namespace Groundwork.Services.Registry;

/// <summary>
/// Bounds that hold for everyone. What an installation may choose is in <see cref="RegistryOptions"/>.
/// </summary>
public static class RegistryLimits
{
    /// <summary>Seconds an instance lives without a renewal, when it does not say: three renewals 5 s apart.</summary>
    public const int DefaultLeaseSeconds = 15;

    /// <summary>Seconds; below it a garbage collection or a lost packet looks like death.</summary>
    public const int MinLeaseSeconds = 5;

    /// <summary>Seconds; above it the instance had better be persistent.</summary>
    public const int MaxLeaseSeconds = 3600;

    /// <summary>Characters of a host name, as DNS has it.</summary>
    public const int MaxHostLength = 253;

    /// <summary>Highest weight; 100 is normal, so one instance can count a hundred times another.</summary>
    public const int MaxWeight = 10_000;

    /// <summary>Characters of version, zone, cluster and a tag: they are labels, shown in tables.</summary>
    public const int MaxLabelLength = 128;

    /// <summary>Tags of one instance.</summary>
    public const int MaxTags = 64;

    /// <summary>Named ports beside the primary one.</summary>
    public const int MaxNamedPorts = 16;

    /// <summary>Checks of one instance.</summary>
    public const int MaxChecks = 16;

    /// <summary>Characters of a check's reason: a sentence, not a page of output.</summary>
    public const int MaxReasonLength = 512;

    /// <summary>Entries of metadata.</summary>
    public const int MaxMetadataEntries = 64;

    /// <summary>
    /// Bytes of UTF-8 over all metadata keys and values: every watcher receives them with every change.
    /// </summary>
    public const int MaxMetadataBytes = 16 * 1024;

    /// <summary>Bytes of one protocol's extension.</summary>
    public const int MaxExtensionBytes = 16 * 1024;

    /// <summary>Protocols that may leave an extension on one instance.</summary>
    public const int MaxExtensions = 8;

    /// <summary>Bytes of a registration: the largest metadata and a few extensions.</summary>
    public const int MaxRegistrationBytes = 192 * 1024;

    /// <summary>Renewals in one call: about 100 KB, answered in about a millisecond.</summary>
    public const int MaxRenewalsPerBatch = 1000;

    /// <summary>
    /// Bytes of a batch of renewals or outcomes: a thousand with the longest names that are of any use.
    /// </summary>
    public const int MaxBatchBytes = 1024 * 1024;

    /// <summary>Characters of a client's name and version that are kept.</summary>
    public const int MaxClientLength = 64;

    /// <summary>Outcomes in one call.</summary>
    public const int MaxOutcomesPerBatch = 1000;

    /// <summary>Instances of one service: its list is one answer, about 10 MB at this size.</summary>
    public const int MaxInstancesPerService = 20_000;

    /// <summary>Clusters of one service whose last instance is remembered for a while after it has left.</summary>
    public const int MaxDepartedClusters = 16;

    /// <summary>Services one watch may name.</summary>
    public const int MaxServicesPerWatch = 256;

    /// <summary>Services on one page of the list.</summary>
    public const int MaxPageSize = 1000;

    /// <summary>Services on a page when the caller does not say.</summary>
    public const int DefaultPageSize = 100;

    /// <summary>Services in one graph: about 500 KB with their calls, and more than a picture can show.</summary>
    public const int MaxGraphServices = 2000;

    /// <summary>Services in a graph when the caller does not say.</summary>
    public const int DefaultGraphServices = 500;

    /// <summary>Calls from one service to the next that a neighbourhood may reach.</summary>
    public const int MaxGraphSteps = 5;

    /// <summary>How long a blocking query may wait: within the idle limit of common proxies.</summary>
    public static readonly TimeSpan MaxWait = TimeSpan.FromMinutes(5);

    public static Fault TooManyWatchers(RegistryOptions options) => new(
        ErrorCodes.RegistryFull, $"{options.MaxWatchers} watchers are connected, which is the limit.")
    {
        RetryAfter = TimeSpan.FromSeconds(5),
    };
}
