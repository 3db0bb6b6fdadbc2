using System.Security.Cryptography;
using Groundwork.Kernel.Resources;
using Groundwork.Wire.Contracts;

namespace Groundwork.Kernel.Security;

/// <summary>What a verification has found, to a bound.</summary>
internal sealed class Findings
{
    private readonly List<string> found = [];

    public void Add(string finding)
    {
        if (found.Count > AuditVerifier.MaxFindings) return;
        found.Add(
            found.Count < AuditVerifier.MaxFindings ? finding : "There is more; only the first findings are listed.");
    }

    public AuditVerification ToVerification(long changes, long events, int checkpoints) =>
        new(found.Count == 0, changes, events, checkpoints, found);
}

/// <summary>Takes the change rows in order, and the checkpoints at their revisions.</summary>
internal sealed class ChangeChainCheck(AuditChain chain, Findings findings, List<AuditCheckpoint> checkpoints)
{
    private readonly Queue<AuditCheckpoint> ahead = new(checkpoints);
    private byte[] link = [];
    private long revision;
    private int order = -1;

    public long Verified { get; private set; }

    public void Take(ChangeRow row)
    {
        if (row.Revision != revision) PassCheckpoints(row.Revision);
        var here = Spell(row.Revision, row.Order);
        if (!Follows(row)) findings.Add($"Between change {Spell(revision, order)} and {here} rows are missing.");
        var digest = ChangeDigest.Of(row);
        Span<byte> message = stackalloc byte[ChangeDigest.MessageBytes];
        ChangeDigest.Message(row.Revision, row.Order, digest, message);
        Span<byte> expected = stackalloc byte[AuditChain.LinkBytes];
        chain.Link(link, message, expected);
        if (!expected.SequenceEqual(row.Link))
            findings.Add($"The row of {row.Key} at {here} was altered, moved, or follows a missing one.");
        else if (row.Spec is { } spec && !SHA256.HashData(spec).AsSpan().SequenceEqual(row.SpecHash))
            findings.Add($"The content of {row.Key} at {here} was altered.");
        else Verified++;
        // From the row's own link, so that one edit is one finding.
        (link, revision, order) = (row.Link, row.Revision, row.Order);
    }

    public void End(LogHead head)
    {
        PassCheckpoints(long.MaxValue, head.Revision);
        if (!head.Link.AsSpan().SequenceEqual(link))
        {
            findings.Add(
                $"The log's head does not carry the link of its last change, {Spell(revision, order)}: "
                + "the tail was cut or rewritten.");
        }
    }

    /// <summary>Gapless; a restore goes on at the next multiple of 2^32.</summary>
    private bool Follows(ChangeRow row) => row.Revision == revision
        ? row.Order == order + 1
        : row.Order == 0
            && (row.Revision == revision + 1 || (row.Revision >> 32 > revision >> 32 && (uint)row.Revision <= 1));

    private void PassCheckpoints(long next, long end = long.MaxValue)
    {
        while (ahead.TryPeek(out var checkpoint) && checkpoint.Revision < next)
        {
            ahead.Dequeue();
            if (checkpoint.Revision > end)
            {
                findings.Add(
                    $"The {checkpoint} vouches for revision {checkpoint.Revision}; the store ends at {end}: "
                    + "its tail was cut.");
            }
            else if (checkpoint.ChangeLink != Convert.ToHexStringLower(link))
                findings.Add(
                    $"The change at revision {checkpoint.Revision} is not the one that the {checkpoint} vouches for.");
        }
    }

    private static string Spell(long revision, int order) => order < 0 ? "the beginning" : $"{revision}.{order}";
}

/// <summary>Takes the audit events in order, and the checkpoints at their sequence.</summary>
internal sealed class EventChainCheck(AuditChain chain, Findings findings, List<AuditCheckpoint> checkpoints)
{
    private readonly Queue<AuditCheckpoint> ahead = new(checkpoints);
    private byte[] link = [];
    private long sequence;

    public long Verified { get; private set; }

    public void Take(LinkedAuditRow row)
    {
        PassCheckpoints(row.Sequence);
        if (row.Sequence != sequence + 1)
            findings.Add($"Between event {sequence} and {row.Sequence} rows are missing.");
        Span<byte> message = stackalloc byte[AuditRow.MessageBytes];
        AuditRow.Message(row.Sequence, row.Row.Digest(), message);
        Span<byte> expected = stackalloc byte[AuditChain.LinkBytes];
        chain.Link(link, message, expected);
        if (expected.SequenceEqual(row.Link)) Verified++;
        else findings.Add($"Event {row.Sequence} was altered, moved, or follows a missing one.");
        (link, sequence) = (row.Link, row.Sequence);
    }

    public void End() => PassCheckpoints(long.MaxValue, sequence);

    private void PassCheckpoints(long next, long end = long.MaxValue)
    {
        while (ahead.TryPeek(out var checkpoint) && checkpoint.EventSequence < next)
        {
            ahead.Dequeue();
            if (checkpoint.EventSequence > end)
            {
                findings.Add(
                    $"The {checkpoint} vouches for event {checkpoint.EventSequence}; the trail ends at {end}: "
                    + "its tail was cut.");
            }
            else if (checkpoint.EventLink != Convert.ToHexStringLower(link))
                findings.Add($"Event {checkpoint.EventSequence} is not the one that the {checkpoint} vouches for.");
        }
    }
}
