using System.Collections.Immutable;
using System.Text;
using Groundwork.Wire;

namespace Groundwork.Client.Receipts;

/// <summary>
/// Who this process says it is when it reads settings: <c>service/id</c> and its labels. The id may be known only when
/// the server listens; until then it reads without one. Thread-safe.
/// </summary>
internal sealed class ReaderIdentity : IDisposable
{
    /// <summary>Labels that the platform takes of one reader.</summary>
    public const int MaxLabels = 32;

    /// <summary>Characters of a label's value.</summary>
    public const int MaxLabelLength = 128;

    private readonly CancellationTokenSource named = new();
    private readonly string labelQuery;
    private string? id;

    public ReaderIdentity(GroundworkOptions options)
    {
        // As the registry writes a service of another group.
        Service = options.Group == "default" ? options.ServiceName : $"{options.Group}@@{options.ServiceName}";
        Labels = LabelsOf(options);
        labelQuery = string.Concat(
            Labels.Select(label => "&label=" + Uri.EscapeDataString($"{label.Key}={label.Value}")));
        if (options.InstanceId is { } given) SetId(given);
    }

    public string Service { get; }

    /// <summary>Null while it is not known.</summary>
    public string? Id => Volatile.Read(ref id);

    /// <summary>What gray releases and flags may ask for.</summary>
    public ImmutableSortedDictionary<string, string> Labels { get; }

    /// <summary>Cancelled when the id is known.</summary>
    public CancellationToken Named => named.Token;

    /// <summary>What a read of settings says of its reader: begins with <c>&amp;</c>, or is empty.</summary>
    public string Query => Id is { } known
        ? $"&instance={Uri.EscapeDataString($"{Service}/{known}")}{labelQuery}&receipts=true"
        : labelQuery;

    /// <summary>The id becomes known, once.</summary>
    public void SetId(string instanceId)
    {
        var plain = new StringBuilder(instanceId.Length);
        foreach (var c in instanceId) plain.Append(Names.IsSegment([c]) || c is '.' ? c : '-');
        if (plain.Length > Names.MaxSegmentLength) plain.Length = Names.MaxSegmentLength;
        if (Interlocked.CompareExchange(ref id, plain.ToString(), null) is null) named.Cancel();
    }

    public void Dispose() => named.Dispose();

    /// <summary>What the platform takes for a label.</summary>
    public static bool IsLabel(string key, string? value) =>
        Names.IsSegment(key)
        && value is { Length: <= MaxLabelLength }
        // Half a character becomes the replacement character on its way.
        && !value.EnumerateRunes().Any(rune => Rune.IsControl(rune) || rune == Rune.ReplacementChar);

    // In falling importance, as far as the platform takes them.
    private static ImmutableSortedDictionary<string, string> LabelsOf(GroundworkOptions options)
    {
        var labels = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        void Add(string key, string? value)
        {
            if (labels.Count < MaxLabels && IsLabel(key, value)) labels.TryAdd(key, value!); // IsLabel refuses null.
        }

        foreach (var (key, value) in options.Labels) Add(key, value);
        Add("zone", options.Zone);
        Add("version", options.Version);
        foreach (var (key, value) in options.Metadata.OrderBy(one => one.Key, StringComparer.Ordinal)) Add(key, value);
        return labels.ToImmutable();
    }
}
