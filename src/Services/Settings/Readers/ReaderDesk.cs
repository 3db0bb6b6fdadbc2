using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Services.Settings.Releases;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Settings.Readers;

/// <summary>What an answer about readers is made of.</summary>
internal sealed record ReaderParts(
    ReaderStore Store,
    ReaderWriter Writer,
    ReceiptRules Rules,
    SettingContents Contents,
    GrayReleases Releases,
    Authorizer Authorizer,
    string Node,
    TimeProvider Time)
{
    /// <summary>True for an instance of the registry: namespace, group, service and id. Null without one.</summary>
    public Func<string, string, string, string, bool>? IsRegistered { get; init; }
}

/// <summary>Takes what readers say and tells what is known of them, whichever node they are at.</summary>
internal sealed class ReaderDesk(ISnapshotSource snapshots, ReaderParts parts)
{
    public ISnapshotSource Snapshots => snapshots;

    public async ValueTask<Outcome<ReaderReport>> ReadReportAsync(
        string @namespace, ReceiptBatch batch, CancellationToken cancellationToken)
    {
        var now = snapshots.Current;
        var found = await parts.Releases.AtAsync(now, cancellationToken);
        return found.TryGet(out var inForce, out var fault)
            ? parts.Rules.Read(@namespace, batch, now, RevisionOf, parts.Node)
            : fault;

        long? RevisionOf(ResourceKey setting, string? release)
        {
            if (release is null) return now.Find(setting)?.Revision;
            foreach (var rule in inForce.Of(setting.Namespace, setting.Name))
                if (rule.Name == release) return rule.Resource.Revision;
            return null;
        }
    }

    /// <summary>Null when it is on disk.</summary>
    public Task<Fault?> StoreAsync(ReaderReport report) => parts.Writer.ReportAsync(report);

    public async Task<Outcome<SettingReceipts>> ReceiptsAsync(
        ResourceKey key, long? revision, CancellationToken cancellationToken)
    {
        var now = snapshots.Current;
        if (revision < 1 || revision > now.Revision)
            return new Fault(
                ErrorCodes.RevisionUnknown, $"There is no revision {revision}; the newest is {now.Revision}.");
        var read = await ReadAsync(key, now, cancellationToken);
        if (!read.TryGet(out var known, out var fault)) return fault;
        var (rows, audience, setting, secret) = known;
        if (setting is null && rows.Receipts.Count == 0)
            return new Fault(ErrorCodes.SettingNotFound, $"There is no setting {key.Namespace}/{key.Name}.");
        if (revision is { } asked && !known.Revisions.Contains(asked))
        {
            return new Fault(
                ErrorCodes.RevisionUnknown,
                $"No receipts of {key.Name} at revision {asked} are kept; they are for the last "
                + $"{ReaderStore.KeptRevisions} that were sent: {string.Join(", ", known.Revisions)}.");
        }
        return ReceiptReport.Of(key, setting, secret, revision, rows, audience);
    }

    public async Task<Outcome<ReaderList>> ReadersAsync(
        string @namespace, string? group, string? setting, CancellationToken cancellationToken)
    {
        var key = new ResourceKey(SettingKind.Name, @namespace, setting ?? (group is null ? "" : $"{group}/any"));
        var read = await ReadAsync(key, snapshots.Current, cancellationToken, ofSetting: setting is not null);
        if (!read.TryGet(out var known, out var fault)) return fault;
        var reads = known.Rows.Reads.ToLookup(one => one.Reader);
        return new ReaderList([.. known.Rows.Readers
            .Where(reader => key.Name.Length == 0 || known.Audience.Asks(reader, key.Name))
            .Select(reader => new ReaderDocument(
                reader.Key.Service,
                reader.Key.Instance,
                reader.Groups,
                reader.Labels,
                reader.SendsReceipts,
                known.Audience.IsLive(reader, known.Rows.Now),
                reader.LastSeen,
                reader.Node,
                reads[reader.Key].Where(one => group is null || SettingKind.Split(one.Setting)?.Group == group)
                    .OrderBy(one => one.Setting, StringComparer.Ordinal)
                    .ToDictionary(one => one.Setting, one => one.Keys)))]);
    }

    public async Task<Outcome<FlagExposureList>> ExposuresAsync(
        string @namespace, CancellationToken cancellationToken)
    {
        if (await parts.Writer.FlushAsync() is { } unwritten) return unwritten;
        try
        {
            var rows = await parts.Store.ExposuresAsync(@namespace, cancellationToken);
            return new FlagExposureList([.. rows.Select(row =>
                new FlagExposureCount(row.Flag, row.Variant, row.Service, row.Count, row.LastAt))]);
        }
        catch (StorageException away)
        {
            return away.Fault;
        }
    }

    public async Task<Outcome<BlastRadius>> BlastAsync(
        Principal caller, ResourceKey key, BlastRadiusRequest request, CancellationToken cancellationToken)
    {
        if (BlastReport.Check(request) is { } fault) return fault;
        var read = await ReadAsync(key, snapshots.Current, cancellationToken);
        if (!read.TryGet(out var known, out fault)) return fault;
        // Which keys of a secret a guess leaves as they are says what their values are.
        var mayCompare = !known.Secret || parts.Authorizer.Allows(caller, Verb.ReadSecret, key);
        var changed = request.Content is { } planned && mayCompare
            ? BlastReport.Changed(known.Format ?? SettingKind.FormatOf(key.Name), known.Content, planned)
            : null;
        var asked = changed is null ? request : request with { Keys = changed };
        return BlastReport.Of(key, known.Setting, known.Secret, asked, known.Rows, known.Audience) with
        {
            Changed = changed,
        };
    }

    private async Task<Outcome<KnownReaders>> ReadAsync(
        ResourceKey key, Snapshot now, CancellationToken cancellationToken, bool ofSetting = true)
    {
        var found = await parts.Releases.AtAsync(now, cancellationToken);
        if (!found.TryGet(out var inForce, out var fault)) return fault;
        var setting = now.Find(key);
        SettingDocument? document = null;
        if (setting is not null)
        {
            var read = await parts.Contents.ReadAsync(new SettingVersion(setting, null), cancellationToken);
            if (!read.TryGet(out document, out fault)) return fault;
        }
        if (await parts.Writer.FlushAsync() is { } unwritten) return unwritten;
        try
        {
            var rows = await parts.Store.ReadAsync(key.Namespace, ofSetting ? key.Name : null, cancellationToken);
            var audience = new Audience(now, inForce, parts.Authorizer, parts.IsRegistered, parts.Time.GetUtcNow());
            var revisions = inForce.Of(key.Namespace, key.Name).Select(rule => rule.Resource.Revision)
                .Concat(rows.Receipts.Select(receipt => receipt.Key.Revision))
                .Concat(setting is null ? [] : [setting.Revision]);
            return new KnownReaders(rows, audience, setting, document?.Secret == true)
            {
                Format = document?.Format,
                Content = document?.Content ?? "",
                Revisions = [.. revisions.Distinct().Order()],
            };
        }
        catch (StorageException away)
        {
            return away.Fault;
        }
    }

    private sealed record KnownReaders(AudienceRows Rows, Audience Audience, Resource? Setting, bool Secret)
    {
        /// <summary>The setting's own; null where it is not there.</summary>
        public string? Format { get; init; }

        /// <summary>The setting's own text; empty where it is not there.</summary>
        public string Content { get; init; } = "";

        /// <summary>Revisions of the setting and its releases that something is known of.</summary>
        public required IReadOnlyList<long> Revisions { get; init; }
    }
}
