using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using static Groundwork.Services.Registry.RegistryLimits;

namespace Groundwork.Services.Registry;

/// <summary>Turns a registration into an instance, or says everything that is wrong with it.</summary>
internal sealed class InstanceRules(TextPool texts, TimeProvider time)
{
    /// <param name="registeredBy">Protocol, client version and principal.</param>
    /// <param name="registeredFrom">The peer's address; null where it is not known.</param>
    /// <returns>The instance, with incarnation 0 when the caller gave none.</returns>
    public Outcome<Instance> Read(InstanceDocument document, string registeredBy, string? registeredFrom = null)
    {
        var faults = new List<FieldFault>();
        var key = ReadKey(document, faults);
        CheckPlace(document, faults);
        CheckLabels(document, faults);
        CheckMetadata(document.Metadata, faults);
        CheckPorts(document.Ports, faults);
        CheckExtensions(document.Extensions, faults);
        var checks = ReadChecks(document.Checks, faults);
        CheckLife(document, faults);
        if (faults.Count > 0)
            return new Fault(ErrorCodes.InstanceInvalid, Summary(faults)) { Fields = [.. faults] };

        var now = time.GetUtcNow();
        return new Instance(key, document.Host, document.Port)
        {
            Scheme = document.Scheme == "https" ? "https" : "http",
            Weight = document.Weight ?? 100,
            Status = InstanceWords.Status(document.Status) ?? InstanceStatus.Up,
            Health = new Health(HealthState.Healthy, HealthCause.Instance, "registered", now),
            Version = Share(document.Version),
            Zone = Share(document.Zone),
            Cluster = Share(document.Cluster),
            Ephemeral = document.Ephemeral ?? true,
            LeaseSeconds = document.LeaseSeconds ?? DefaultLeaseSeconds,
            Incarnation = document.Incarnation ?? 0,
            RegisteredBy = texts.Share(registeredBy),
            RegisteredFrom = Share(registeredFrom),
            Tags = document.Tags is { Count: > 0 } tags ? [.. tags.Select(texts.Share)] : [],
            Checks = checks,
            Ports = document.Ports is { Count: > 0 } ports
                ? ports.ToImmutableSortedDictionary(
                    entry => texts.Share(entry.Key), entry => entry.Value, StringComparer.Ordinal)
                : ImmutableSortedDictionary<string, int>.Empty,
            Metadata = document.Metadata is { Count: > 0 } metadata
                ? TextMap.Of(metadata.Select(
                    entry => KeyValuePair.Create(texts.Share(entry.Key), texts.Share(entry.Value))))
                : TextMap.Empty,
            Extensions = document.Extensions is { Count: > 0 } extensions
                ? TextMap.Of(extensions.Select(
                    entry => KeyValuePair.Create(texts.Share(entry.Key), entry.Value.GetRawText())))
                : TextMap.Empty,
        };
    }

    private InstanceKey ReadKey(InstanceDocument document, List<FieldFault> faults)
    {
        var @namespace = document.Namespace ?? Names.DefaultNamespace;
        if (!Names.IsNamespace(@namespace))
            faults.Add(new FieldFault("namespace", "must be 1 to 63 characters of a-z, 0-9 and -"));
        var (named, service) = ServiceKey.Split(document.Service);
        if (named is not null && document.Group is not null && named != document.Group)
            faults.Add(new FieldFault("group", $"is '{document.Group}', but the service names group '{named}'"));
        var group = named ?? document.Group ?? ServiceKey.DefaultGroup;
        const string Segment = "must be 1 to 128 characters of A-Z, a-z, 0-9 and . _ : @ - without @@";
        if (!ServiceKey.IsPart(service)) faults.Add(new FieldFault("service", Segment));
        if (!ServiceKey.IsPart(group)) faults.Add(new FieldFault("group", Segment));
        var id = document.Id ?? DeriveId(document);
        if (!Names.IsSegment(id))
            faults.Add(new FieldFault("id", document.Id is null
                ? "cannot be derived from host, port and cluster; give one"
                : "must be 1 to 128 characters of A-Z, a-z, 0-9 and . _ : @ -"));
        return new InstanceKey(new ServiceKey(texts.Share(@namespace), texts.Share(group), texts.Share(service)), id);
    }

    // An IPv6 address keeps its colons: they are letters of a name, and the port is what follows the last.
    private static string DeriveId(InstanceDocument document)
    {
        var port = document.Port.ToString(CultureInfo.InvariantCulture);
        return string.IsNullOrEmpty(document.Cluster)
            ? $"{document.Host}:{port}"
            : $"{document.Host}:{port}:{document.Cluster}";
    }

    private static void CheckPlace(InstanceDocument document, List<FieldFault> faults)
    {
        if (document.Host.Length is 0 or > MaxHostLength
            || Uri.CheckHostName(document.Host) is UriHostNameType.Unknown or UriHostNameType.Basic)
            faults.Add(
                new FieldFault("host", $"must be an IP address or a host name of at most {MaxHostLength} characters"));
        if (document.Port is < 1 or > ushort.MaxValue) faults.Add(new FieldFault("port", "must be 1 to 65535"));
        if (document.Scheme is not (null or "http" or "https"))
            faults.Add(new FieldFault("scheme", "must be http or https"));
        if (document.Weight is < 0 or > MaxWeight)
            faults.Add(new FieldFault("weight", $"must be 0 to {MaxWeight}"));
    }

    private static void CheckLife(InstanceDocument document, List<FieldFault> faults)
    {
        if (document.Status is not null && InstanceWords.Status(document.Status) is null)
            faults.Add(new FieldFault("status", $"must be {InstanceWords.Statuses}"));
        if (document.LeaseSeconds is < MinLeaseSeconds or > MaxLeaseSeconds)
            faults.Add(new FieldFault("leaseSeconds", $"must be {MinLeaseSeconds} to {MaxLeaseSeconds}"));
        if (document.Incarnation is < 0)
            faults.Add(new FieldFault("incarnation", "must not be negative: it is a time in Unix milliseconds"));
        // What the platform sets is refused rather than passed over: the caller believes it says something.
        if (document.RegisteredBy is not null) faults.Add(new FieldFault("registeredBy", "is set by the platform"));
        if (document.RegisteredFrom is not null)
            faults.Add(new FieldFault("registeredFrom", "is set by the platform"));
        if (document.Health is not null) faults.Add(new FieldFault("health", "is set by the platform"));
        if (document.ExpiresAt is not null) faults.Add(new FieldFault("expiresAt", "is set by the platform"));
        if (document.Override is not null) faults.Add(new FieldFault("override", "is set by the platform"));
        if (document.Callable is not null) faults.Add(new FieldFault("callable", "is set by the platform"));
    }

    private static void CheckLabels(InstanceDocument document, List<FieldFault> faults)
    {
        CheckLabel("version", document.Version, faults);
        CheckLabel("zone", document.Zone, faults);
        CheckLabel("cluster", document.Cluster, faults);
        if (document.Tags is not { } tags) return;
        if (tags.Count > MaxTags) faults.Add(new FieldFault("tags", $"must be at most {MaxTags}"));
        for (var at = 0; at < Math.Min(tags.Count, MaxTags); at++)
            CheckLabel($"tags[{at}]", tags[at] ?? "", faults);
    }

    private static void CheckLabel(string path, string? text, List<FieldFault> faults)
    {
        if (text is null) return;
        if (text.Length is 0 or > MaxLabelLength || !IsPrintable(text))
            faults.Add(new FieldFault(path, $"must be 1 to {MaxLabelLength} characters without control characters"));
    }

    /// <summary>Null for metadata that an instance may have.</summary>
    internal static Fault? CheckMetadata(IReadOnlyDictionary<string, string> metadata)
    {
        var faults = new List<FieldFault>();
        CheckMetadata(metadata, faults);
        return faults.Count == 0
            ? null
            : new Fault(ErrorCodes.InstanceInvalid, Summary(faults)) { Fields = [.. faults] };
    }

    private static void CheckMetadata(IReadOnlyDictionary<string, string>? metadata, List<FieldFault> faults)
    {
        if (metadata is null) return;
        if (metadata.Count > MaxMetadataEntries)
            faults.Add(new FieldFault("metadata", $"must have at most {MaxMetadataEntries} entries"));
        var bytes = 0L;
        foreach (var (name, value) in metadata)
        {
            if (name.Length is 0 or > MaxLabelLength || !IsPrintable(name))
                faults.Add(
                    new FieldFault("metadata", $"has a key that is not 1 to {MaxLabelLength} printable characters"));
            if (value is null || !IsText(value))
                faults.Add(new FieldFault($"metadata.{name}", "must be text without the NUL character"));
            bytes += Encoding.UTF8.GetByteCount(name) + Encoding.UTF8.GetByteCount(value ?? "");
        }
        if (bytes > MaxMetadataBytes)
            faults.Add(new FieldFault("metadata", $"is {bytes} bytes, over the limit of {MaxMetadataBytes}"));
    }

    private static void CheckPorts(IReadOnlyDictionary<string, int>? ports, List<FieldFault> faults)
    {
        if (ports is null) return;
        if (ports.Count > MaxNamedPorts) faults.Add(new FieldFault("ports", $"must be at most {MaxNamedPorts}"));
        foreach (var (name, port) in ports)
        {
            if (!Names.IsSegment(name))
                faults.Add(new FieldFault("ports", $"has a name that is not a segment: '{name}'"));
            if (port is < 1 or > ushort.MaxValue) faults.Add(new FieldFault($"ports.{name}", "must be 1 to 65535"));
        }
    }

    private static void CheckExtensions(IReadOnlyDictionary<string, JsonElement>? extensions, List<FieldFault> faults)
    {
        if (extensions is null) return;
        if (extensions.Count > MaxExtensions)
            faults.Add(new FieldFault("extensions", $"must be of at most {MaxExtensions} protocols"));
        foreach (var (protocol, content) in extensions)
        {
            if (!Names.IsNamespace(protocol))
                faults.Add(new FieldFault("extensions", $"has a protocol that is not a lower-case word: '{protocol}'"));
            var bytes = Encoding.UTF8.GetByteCount(content.GetRawText());
            if (bytes > MaxExtensionBytes)
                faults.Add(new FieldFault(
                    $"extensions.{protocol}", $"is {bytes} bytes, over the limit of {MaxExtensionBytes}"));
        }
    }

    private ImmutableArray<Check> ReadChecks(IReadOnlyList<InstanceCheck>? checks, List<FieldFault> faults)
    {
        if (checks is null or { Count: 0 }) return [];
        if (checks.Count > MaxChecks)
        {
            faults.Add(new FieldFault("checks", $"must be at most {MaxChecks}"));
            return [];
        }
        var names = new HashSet<string>(StringComparer.Ordinal);
        var read = ImmutableArray.CreateBuilder<Check>(checks.Count);
        for (var at = 0; at < checks.Count; at++)
        {
            if (checks[at] is not { } check) // The reader lets null into lists.
            {
                faults.Add(new FieldFault($"checks[{at}]", "must not be null"));
                continue;
            }
            CheckLabel($"checks[{at}].name", check.Name, faults);
            if (!names.Add(check.Name))
                faults.Add(new FieldFault($"checks[{at}].name", $"is there twice: '{check.Name}'"));
            var state = InstanceWords.Check(check.State);
            if (state is null)
                faults.Add(new FieldFault($"checks[{at}].state", $"must be {InstanceWords.CheckStates}"));
            if (check.Reason is { } reason && (reason.Length > MaxReasonLength || !IsText(reason)))
                faults.Add(
                    new FieldFault($"checks[{at}].reason", $"must be text of at most {MaxReasonLength} characters"));
            CheckLabel($"checks[{at}].source", check.Source, faults);
            read.Add(new Check(
                texts.Share(
                    check.Name), state ?? CheckState.Passing, check.Reason, check.Since, texts.Share(check.Source)));
        }
        return read.DrainToImmutable();
    }

    private string? Share(string? text) => text is null ? null : texts.Share(text);

    private static bool IsPrintable(string text) => IsText(text) && !text.Any(char.IsControl);

    // The store keeps no NUL and no half of a surrogate pair.
    internal static bool IsText(string text)
    {
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] == '\0' || char.IsLowSurrogate(text[at])) return false;
            if (!char.IsHighSurrogate(text[at])) continue;
            if (++at == text.Length || !char.IsLowSurrogate(text[at])) return false;
        }
        return true;
    }

    private static string Summary(List<FieldFault> faults) => faults.Count == 1
        ? $"The instance has a fault: {faults[0].Path} {faults[0].Message}."
        : $"The instance has {faults.Count} faults, the first: {faults[0].Path} {faults[0].Message}.";
}
