using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using Groundwork.Client.Platform;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Logging;

namespace Groundwork.Client.Discovery;

/// <summary>
/// The services this process calls, each with the newest list the platform gave. Reads of a known service are of memory
/// only; the first call of a name asks the registry. Thread-safe.
/// </summary>
internal sealed partial class ServiceDirectory(
    GroundworkOptions options, PlatformConnection platform, ILogger log, Action changed)
{
    /// <summary>Names of services one process calls; a name beyond is passed through as an ordinary host.</summary>
    private const int MaxNames = 256;

    /// <summary>How long a call may wait for the registry's answer on a name that is new.</summary>
    private static readonly TimeSpan AskLimit = TimeSpan.FromSeconds(2);

    /// <summary>
    /// A name the registry does not know may be registered the next moment, as when everything starts at once.
    /// </summary>
    private static readonly TimeSpan UnknownFor = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, ServiceEntry> entries = new(StringComparer.OrdinalIgnoreCase);
    private readonly FrozenSet<string> declared = options.Services.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    // Services as a run before this one left them on disk: used only where the platform cannot be asked.
    private ImmutableDictionary<string, ServiceDocument> remembered =
        ImmutableDictionary<string, ServiceDocument>.Empty;

    // Replaced whenever a name joins the watch, so that the watch notices.
    private TaskCompletionSource joined = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>
    /// Whether the host name may be a service at all. Declared names are; others need one label and the scheme's own
    /// port, so that hosts of the world outside are never asked for.
    /// </summary>
    public bool MayBeService(Uri uri) => declared.Contains(uri.Host)
        || (uri.IsDefaultPort
            && uri.HostNameType == UriHostNameType.Dns
            && !uri.Host.Contains('.', StringComparison.Ordinal)
            && !uri.IsLoopback);

    /// <summary>The service by that name where its list is known already; null otherwise.</summary>
    public ServiceEntry? Known(string host) =>
        entries.TryGetValue(host, out var entry) && entry.List is not null ? entry : null;

    /// <summary>
    /// The service by that name, its list known; null when it is none, as far as anyone knows.
    /// </summary>
    public ValueTask<ServiceEntry?> FindAsync(string host, CancellationToken cancellationToken)
    {
        if (entries.TryGetValue(host, out var entry))
        {
            if (entry.List is not null) return new ValueTask<ServiceEntry?>(entry);
            if (entry.IsUnknown) return default;
        }
        else
        {
            if (entries.Count >= MaxNames && !declared.Contains(host)) return default;
            entry = entries.GetOrAdd(host, name => new ServiceEntry(name, options.Zone, options.Time));
        }
        return AskAsync(entry, cancellationToken);
    }

    /// <summary>Whether the name was declared as a service, so that passing it through would be wrong.</summary>
    public bool IsDeclared(string host) => declared.Contains(host);

    /// <summary>Names to watch, in order.</summary>
    public ImmutableArray<string> Watched =>
        [.. entries.Values.Where(entry => entry.List is not null).Select(entry => entry.Name)
            .Order(StringComparer.Ordinal)];

    /// <summary>Completes when another name is to be watched.</summary>
    public Task Joined => Volatile.Read(ref joined).Task;

    /// <summary>All lists known, for the disk: those in use, and those remembered that nobody asked for yet.</summary>
    public IReadOnlyList<ServiceDocument> Documents
    {
        get
        {
            var used = entries.Values.Select(entry => entry.List?.Document).OfType<ServiceDocument>().ToList();
            var names = used.Select(document => document.Service).ToHashSet(StringComparer.OrdinalIgnoreCase);
            return [.. used, .. remembered.Values.Where(document => !names.Contains(document.Service))];
        }
    }

    /// <summary>All targets, with the service's name.</summary>
    public IEnumerable<(string Service, ServiceTarget Target)> Targets =>
        from entry in entries.Values
        where entry.List is not null
        from target in entry.List!.Callable // Lists are only ever replaced, never taken away.
        select (entry.Name, target);

    /// <summary>Takes over what a run before this one left on disk.</summary>
    public void Restore(IEnumerable<ServiceDocument> documents) => remembered = documents
        .Where(IsOurs)
        .Take(MaxNames)
        .DistinctBy(document => document.Service, StringComparer.OrdinalIgnoreCase)
        .ToImmutableDictionary(document => document.Service, StringComparer.OrdinalIgnoreCase);

    /// <summary>Takes over a list that the platform sent.</summary>
    public void Take(ServiceDocument document)
    {
        if (!IsOurs(document) || !entries.TryGetValue(document.Service, out var entry)) return;
        switch (entry.Take(document))
        {
            case ServiceEntry.Taken.Yes:
                changed();
                break;
            case ServiceEntry.Taken.KeptEmpty:
                LogEmpty(document.Service, document.Index);
                break;
            case ServiceEntry.Taken.Older:
                break; // A node that lags behind the one we heard before.
        }
    }

    /// <summary>Asks for every watched service once: what is left to do while no watch can be had.</summary>
    public async Task<Fault?> RefreshAsync(CancellationToken cancellationToken)
    {
        foreach (var name in Watched)
        {
            var outcome = await LoadAsync(name, cancellationToken);
            if (outcome.TryGet(out var document, out var fault)) Take(document);
            else if (PlatformConnection.IsOfNode(fault)) return fault;
        }
        return null;
    }

    private async ValueTask<ServiceEntry?> AskAsync(ServiceEntry entry, CancellationToken cancellationToken)
    {
        await entry.Asking.WaitAsync(cancellationToken);
        try
        {
            if (entry.List is not null) return entry;
            if (entry.IsUnknown) return null;
            var outcome = await LoadAsync(entry.Name, cancellationToken);
            if (!outcome.TryGet(out var document, out var fault))
            {
                if (!PlatformConnection.IsOfNode(fault) || !remembered.TryGetValue(entry.Name, out document))
                {
                    entry.SetUnknown(UnknownFor);
                    return null;
                }
                LogRemembered(entry.Name, document.Index);
            }
            else if (document.Instances.Count == 0 && document.EmptyReason is null)
            {
                // The registry's answer for a name that nobody ever registered.
                entry.SetUnknown(UnknownFor);
                return null;
            }
            entry.Take(document);
            Interlocked.Exchange(
                ref joined,
                new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
            changed();
            return entry.List is null ? null : entry;
        }
        finally
        {
            entry.Asking.Release();
        }
    }

    private Task<Outcome<ServiceDocument>> LoadAsync(string name, CancellationToken cancellationToken) =>
        platform.GetAsync(
            $"/registry/services/{options.Namespace}/{Uri.EscapeDataString(name)}"
            + $"?group={Uri.EscapeDataString(options.Group)}",
            WireJson.Lenient.ServiceDocument, AskLimit, cancellationToken);

    private bool IsOurs(ServiceDocument document) =>
        document.Namespace == options.Namespace && document.Group == options.Group;

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message =
            "The list of {Service} came empty and without a reason at index {Index}; the one before it stays in use")]
    private partial void LogEmpty(string service, long index);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The platform cannot be asked for {Service}; calls the instances remembered at index {Index}")]
    private partial void LogRemembered(string service, long index);
}
