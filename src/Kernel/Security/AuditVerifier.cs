using System.Security.Cryptography;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Storage;
using Groundwork.Wire.Contracts;

namespace Groundwork.Kernel.Security;

/// <summary>
/// Verifies both chains against the root key and both against the checkpoint file: edits, gaps, a cut tail, a swapped
/// file. Works on a running node and on a store that no node has open.
/// </summary>
public sealed class AuditVerifier
{
    /// <summary>Findings that are listed; after so many the next says nothing new.</summary>
    public const int MaxFindings = 100;

    private const int PageRows = 1_000;

    // Contents are up to a mebibyte each.
    private const int PageContents = 16;

    private readonly IStorage storage;
    private readonly RootKey root;
    private readonly AuditCheckpointFileStore file;
    private readonly string node;

    internal AuditVerifier(IStorage storage, RootKey root, AuditCheckpointFileStore file, string node)
    {
        this.storage = storage;
        this.root = root;
        this.file = file;
        this.node = node;
    }

    /// <summary>For <c>audit verify --offline</c>.</summary>
    public static AuditVerifier Offline(IStorage storage, RootKey root, string dataDirectory, string node) =>
        new(storage, root, new AuditCheckpointFileStore(Path.Combine(dataDirectory, AuditCheckpointFileStore.Name)),
            node);

    public Task<AuditVerification> VerifyAsync(CancellationToken cancellationToken) =>
        VerifyAsync(null, cancellationToken);

    /// <param name="progress">Hears of every page of rows.</param>
    public async Task<AuditVerification> VerifyAsync(
        IProgress<AuditProgress>? progress, CancellationToken cancellationToken)
    {
        var findings = new Findings();
        // The file first: what is appended while we read is on neither side.
        var (checkpoints, damage) = file.Read();
        foreach (var line in damage) findings.Add(line);
        var genuine = CheckFile(checkpoints, findings);
        var (head, end, told) = await storage.ReadAsync(
            session => (
                ResourceStore.ReadHead(session), AuditStore.ReadEnd(session),
                AuditStore.FindLast(session, AuditCheckpoints.Action, node)),
            cancellationToken);
        if (head is null)
        {
            findings.Add("The change log has no head row.");
            return findings.ToVerification(0, 0, 0);
        }
        var changes = new ChangeChainCheck(root.ChangeChain(), findings, genuine);
        await ReadChangesAsync(changes, head, progress, cancellationToken);
        changes.End(head);
        var events = new EventChainCheck(root.EventChain(), findings, genuine);
        await ReadEventsAsync(events, end.Sequence, progress, cancellationToken);
        events.End();
        await CheckStateAsync(head, findings, progress, cancellationToken);
        CheckStore(genuine, head, findings);
        CheckCutFile(genuine, told, findings);
        return findings.ToVerification(changes.Verified, events.Verified, genuine.Count);
    }

    private async Task ReadChangesAsync(
        ChangeChainCheck check, LogHead head, IProgress<AuditProgress>? progress, CancellationToken cancellationToken)
    {
        var (revision, order) = (0L, int.MaxValue);
        while (true)
        {
            var rows = await storage.ReadAsync(
                session => ResourceStore.ReadAfter(session, revision, order, PageRows), cancellationToken);
            foreach (var row in rows)
                if (row.Revision <= head.Revision) check.Take(row);
            if (rows.Count < PageRows || rows[^1].Revision > head.Revision) return;
            (revision, order) = (rows[^1].Revision, rows[^1].Order);
            progress?.Report(new AuditProgress("changes", check.Verified, Share(revision, head.Revision)));
        }
    }

    /// <summary>Of the revisions since the last restore, which goes on at the next multiple of 2^32.</summary>
    private static double? Share(long revision, long head) =>
        revision >> 32 == head >> 32 && (uint)head > 0 ? (double)(uint)revision / (uint)head : null;

    private async Task ReadEventsAsync(
        EventChainCheck check, long end, IProgress<AuditProgress>? progress, CancellationToken cancellationToken)
    {
        var sequence = 0L;
        while (true)
        {
            var rows = await storage.ReadAsync(
                session => AuditStore.ReadAfter(session, sequence, PageRows), cancellationToken);
            foreach (var row in rows)
                if (row.Sequence <= end) check.Take(row);
            if (rows.Count < PageRows || rows[^1].Sequence > end) return;
            sequence = rows[^1].Sequence;
            progress?.Report(new AuditProgress("events", check.Verified, (double)sequence / end));
        }
    }

    /// <summary>
    /// What nodes load at their start is the newest changes, and its contents are what their rows name.
    /// </summary>
    private async Task CheckStateAsync(
        LogHead head, Findings findings, IProgress<AuditProgress>? progress, CancellationToken cancellationToken)
    {
        var wrong = await storage.ReadAsync(
            session => ResourceCheckStore.FindWrongHeads(session, head.Revision, MaxFindings), cancellationToken);
        foreach (var key in wrong) findings.Add($"The current state has {key} as of another change than its newest.");
        var read = 0L;
        for (var after = Array.Empty<byte>(); ;)
        {
            var contents = await storage.ReadAsync(
                session => ResourceCheckStore.ReadContents(session, after, PageContents), cancellationToken);
            foreach (var (hash, content) in contents)
            {
                if (!SHA256.HashData(content).AsSpan().SequenceEqual(hash))
                    findings.Add($"The content {Convert.ToHexStringLower(hash)} of a stored resource was altered.");
            }
            if (contents.Count < PageContents) return;
            after = contents[^1].Hash;
            progress?.Report(new AuditProgress("contents", read += contents.Count));
        }
    }

    /// <summary>The lines that we wrote, in order and without a gap; anything else is a finding.</summary>
    private List<AuditCheckpoint> CheckFile(List<AuditCheckpoint> lines, Findings findings)
    {
        var key = root.CheckpointKey();
        var genuine = new List<AuditCheckpoint>();
        foreach (var line in lines)
        {
            if (!line.IsGenuine(key))
            {
                findings.Add($"The {line} in the file was altered, or is of another install.");
                continue;
            }
            if (line.Node != node)
                findings.Add($"The {line} in the file is of node {line.Node}; the file was swapped.");
            if (genuine.Count > 0 && (line.Number != genuine[^1].Number + 1 || line.Previous != genuine[^1].Mac))
            {
                findings.Add(
                    $"Between checkpoint {genuine[^1].Number} and {line.Number} lines of the file are missing "
                    + "or out of order.");
            }
            genuine.Add(line);
        }
        return genuine;
    }

    private static void CheckStore(List<AuditCheckpoint> genuine, LogHead head, Findings findings)
    {
        var foreign = genuine.Find(line => line.StoreId != head.StoreId);
        if (foreign is not null)
        {
            findings.Add(
                $"The {foreign} is of store {foreign.StoreId}, and this is {head.StoreId}; "
                + "one of the two was swapped.");
        }
    }

    /// <summary>
    /// The events tell of every checkpoint. A file that begins late is right only after a restore, which puts the old
    /// file aside and lets the revisions begin at a new multiple of 2^32.
    /// </summary>
    private void CheckCutFile(List<AuditCheckpoint> genuine, (string Target, string? Detail)? told, Findings findings)
    {
        var own = genuine.FindAll(line => line.Node == node);
        var toldNumber = AuditCheckpoints.NumberOf(told?.Target);
        if (own.Count == 0)
        {
            if (toldNumber > 0)
                findings.Add($"The checkpoint file is missing or empty; the trail tells of {toldNumber} checkpoints.");
            return;
        }
        if (own[^1].Number < toldNumber)
        {
            findings.Add(
                $"The checkpoint file was cut: it ends at checkpoint {own[^1].Number}, "
                + $"the trail tells of {toldNumber}.");
        }
        if (own[0].Number > 1 && own[0].Revision >> 32 == 0)
            findings.Add($"The checkpoint file begins at checkpoint {own[0].Number}; those before it are missing.");
    }
}
