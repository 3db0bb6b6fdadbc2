using Groundwork.Kernel.Resources;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Settings.Readers;

/// <summary>Reads what a reader says, with every fault of it.</summary>
internal sealed class ReceiptRules(RemovedSettings removed)
{
    /// <summary>Receipts of one report.</summary>
    public const int MaxReceipts = 1_000;

    /// <summary>Settings that one report tells read keys of.</summary>
    public const int MaxReadSettings = 256;

    /// <summary>Characters of a configuration key.</summary>
    public const int MaxKeyLength = 512;

    /// <summary>Flags and variants of one report.</summary>
    public const int MaxFlags = 1_000;

    /// <summary>Characters of a flag's or a variant's name.</summary>
    public const int MaxFlagLength = 128;

    /// <summary>Characters of the reason why a text was rejected.</summary>
    public const int MaxErrorLength = 1_024;

    /// <summary>
    /// Evaluations of one flag between two reports: a million a second for a quarter of an hour; sums stay far from
    /// the end of the numbers.
    /// </summary>
    public const long MaxCount = 1_000_000_000;

    public Outcome<ReaderReport> Read(
        string @namespace, ReceiptBatch batch, Snapshot now, ReleasedVersions versions, string node)
    {
        var faults = new List<FieldFault>();
        if (!ReaderIdentity.IsService(batch.Service))
            faults.Add(new FieldFault("service", "must be a service, as in ?instance=service/id"));
        if (!Names.IsSegment(batch.Instance))
            faults.Add(new FieldFault("instance", "must be an instance id: A-Z a-z 0-9 . _ : @ -"));
        var says = batch.Keys is { Count: > 0 } || batch.Flags is { Count: > 0 };
        if (batch.Receipts.Count > MaxReceipts || (batch.Receipts.Count == 0 && !says))
            faults.Add(new FieldFault("receipts", $"must have 1 to {MaxReceipts} entries; none besides keys or flags"));
        var reader = new ReaderKey(@namespace, batch.Service, batch.Instance);
        var receipts = ReadReceipts(reader, batch, now, versions, faults);
        var reads = ReadKeys(reader, batch.Keys, faults);
        var exposures = ReadFlags(batch.Flags, faults);
        if (faults.Count == 0) return new ReaderReport(reader, node, receipts, reads, exposures);
        return new Fault(
            ErrorCodes.ReceiptInvalid, $"Nothing was stored; there {(faults.Count == 1 ? "is 1 fault"
                : $"are {faults.Count} faults")}.")
        {
            Fields = [.. faults],
        };
    }

    private List<ReportedReceipt> ReadReceipts(
        ReaderKey reader, ReceiptBatch batch, Snapshot now, ReleasedVersions versions, List<FieldFault> faults)
    {
        var receipts = new List<ReportedReceipt>();
        foreach (var (at, receipt) in batch.Receipts.Take(MaxReceipts).Index())
        {
            var before = faults.Count;
            CheckReceipt(receipt, $"receipts[{at}]", now.Revision, faults);
            if (faults.Count > before) continue;
            receipts.Add(Normalize(reader, receipt, now, versions));
        }
        return receipts;
    }

    private static void CheckReceipt(ReceiptDocument? receipt, string path, long head, List<FieldFault> faults)
    {
        if (receipt is null)
        {
            faults.Add(new FieldFault(path, "must not be null"));
            return;
        }
        if (!Names.IsSegment(receipt.Group)) faults.Add(new FieldFault($"{path}.group", "must be a setting's group"));
        if (!Names.IsName(receipt.DataId)) faults.Add(new FieldFault($"{path}.dataId", "must be a setting's dataId"));
        if (receipt.Revision < 1 || receipt.Revision > head)
            faults.Add(new FieldFault($"{path}.revision", $"must be 1 to {head}, the newest"));
        if (receipt.Release is { } release && !Names.IsSegment(release))
            faults.Add(new FieldFault($"{path}.release", "must be the name of a gray release"));
        if (StateOf(receipt.State) is null)
            faults.Add(new FieldFault($"{path}.state", "must be delivered, applied or rejected"));
        if (receipt.Error is { } error && receipt.State != ReceiptReport.Word(ReceiptState.Rejected))
            faults.Add(new FieldFault($"{path}.error", "goes with the state rejected"));
        if (receipt.Error is { Length: > MaxErrorLength })
            faults.Add(new FieldFault($"{path}.error", $"is longer than {MaxErrorLength} characters"));
    }

    private ReportedReceipt Normalize(
        ReaderKey reader, ReceiptDocument receipt, Snapshot now, ReleasedVersions versions)
    {
        var setting = $"{receipt.Group}/{receipt.DataId}";
        var key = new ResourceKey(SettingKind.Name, reader.Namespace, setting);
        var revision = receipt.Revision;
        var current = versions(key, receipt.Release) is { } version && version == revision;
        if (now.Find(key) is null && receipt.Release is null)
        {
            // It is known by the snapshot that took it, and stored by the change that did.
            if (removed.RevisionOf(key) is { } taken && taken <= revision) revision = taken;
            current = true;
        }
        return new ReportedReceipt(
            new ReceiptKey(reader, setting, revision, receipt.Release ?? ""),
            StateOf(receipt.State) ?? ReceiptState.Delivered,
            receipt.Error is { } error ? ReaderText.Clean(error) : null,
            current);
    }

    private static ReceiptState? StateOf(string state) => state switch
    {
        "delivered" => ReceiptState.Delivered,
        "applied" => ReceiptState.Applied,
        "rejected" => ReceiptState.Rejected,
        _ => null,
    };

    private static List<StoredReads> ReadKeys(
        ReaderKey reader, IReadOnlyDictionary<string, IReadOnlyList<string>>? all, List<FieldFault> faults)
    {
        var reads = new List<StoredReads>();
        if (all is null) return reads;
        if (all.Count > MaxReadSettings)
            faults.Add(new FieldFault("keys", $"has {all.Count} settings, {MaxReadSettings} are allowed"));
        foreach (var (setting, keys) in all.Take(MaxReadSettings))
        {
            var path = $"keys.{setting}";
            if (!Names.IsName(setting) || SettingKind.Split(setting) is null)
                faults.Add(new FieldFault("keys", "must have names of settings, group/dataId"));
            else if (keys is null || keys.Count is 0 or > ReaderStore.MaxKeys)
                faults.Add(new FieldFault(path, $"must have 1 to {ReaderStore.MaxKeys} keys"));
            else if (keys.Any(key => key is not { Length: > 0 and <= MaxKeyLength } || !ReaderText.IsPlain(key)))
                faults.Add(new FieldFault(path, $"must have keys of 1 to {MaxKeyLength} printable characters"));
            else
                reads.Add(new StoredReads(reader, setting, keys));
        }
        return reads;
    }

    private static List<(string Flag, string Variant, long Count)> ReadFlags(
        IReadOnlyList<FlagExposure>? flags, List<FieldFault> faults)
    {
        var exposures = new List<(string Flag, string Variant, long Count)>();
        if (flags is null) return exposures;
        if (flags.Count > MaxFlags)
            faults.Add(new FieldFault("flags", $"has {flags.Count} entries, {MaxFlags} are allowed"));
        foreach (var (at, flag) in flags.Take(MaxFlags).Index())
        {
            if (flag is null) faults.Add(new FieldFault($"flags[{at}]", "must not be null"));
            else if (!IsFlagText(flag.Flag) || !IsFlagText(flag.Variant))
                faults.Add(new FieldFault(
                    $"flags[{at}]", $"must have a flag and a variant of 1 to {MaxFlagLength} printable characters"));
            else if (flag.Count is < 1 or > MaxCount)
                faults.Add(new FieldFault($"flags[{at}].count", $"must be 1 to {MaxCount}"));
            else
                exposures.Add((flag.Flag, flag.Variant, flag.Count));
        }
        return exposures;
    }

    private static bool IsFlagText(string text) => text is { Length: > 0 and <= MaxFlagLength }
        && ReaderText.IsPlain(text);
}

/// <summary>The revision in force of a setting's own text, or of its named release; null when there is none.</summary>
internal delegate long? ReleasedVersions(ResourceKey setting, string? release);
