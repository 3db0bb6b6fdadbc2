using System.Text.Json;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings.Formats;
using Groundwork.Services.Settings.Schemas;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Settings;

/// <summary>A text that somebody wants published.</summary>
/// <param name="Author">Who may write the setting; that was asked before.</param>
internal sealed record SettingPublication(Principal Author, ResourceKey Key, string Content)
{
    /// <summary>Null keeps what is there, and of a new setting it is inferred.</summary>
    public string? Format { get; init; }

    /// <summary>Null keeps what is there.</summary>
    public string? Description { get; init; }

    /// <summary>Revision of the setting; 0: it must not exist; null: any.</summary>
    public long? Expect { get; init; }

    public Guid? Id { get; init; }

    public bool DryRun { get; init; }

    public string Reason { get; init; } = "";
}

/// <summary>Publishes the text of a setting; what is known of it beside the text stays as it is.</summary>
internal sealed class SettingPublisher(ChangeLog changes)
{
    /// <summary>
    /// Times that a publication without condition is tried when others write the same setting at that moment.
    /// </summary>
    private const int MaxAttempts = 5;

    public async Task<Outcome<Commit>> PublishAsync(SettingPublication wanted, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var outcome = await TryAsync(wanted, cancellationToken);
            if (outcome.TryGet(out var commit, out var fault)) return commit;
            // Somebody wrote in between, and the caller has set no condition: what is kept is read anew.
            var again = fault.Error == ErrorCodes.RevisionConflict && wanted.Expect is null && attempt < MaxAttempts;
            if (!again) return AsSyntax(fault);
        }
    }

    private async Task<Outcome<Commit>> TryAsync(SettingPublication wanted, CancellationToken cancellationToken)
    {
        var resource = changes.Snapshots.Current.Find(wanted.Key);
        var before = await BeforeAsync(resource, cancellationToken);
        if (!before.TryGet(out var kept, out var fault)) return fault;
        var spec = kept with
        {
            Content = wanted.Content,
            Format = wanted.Format
                ?? (kept.Format.Length > 0 ? kept.Format : ContentFormat.Infer(wanted.Key.Name).Name),
            Description = wanted.Description ?? kept.Description,
        };
        var change = new Change(
            ChangeOperation.Put,
            wanted.Key,
            JsonSerializer.SerializeToUtf8Bytes(spec, SettingJson.Default.SettingSpec),
            // The version whose secrecy is kept: a text must not come out in clear because somebody made it a secret
            // while it was written.
            Expect: wanted.Expect ?? resource?.Revision ?? 0)
        {
            ExpectIsImplied = wanted.Expect is null,
        };
        return await changes.CommitAsync(
            new Changeset(wanted.Author, [change])
            {
                Reason = wanted.Reason,
                Id = wanted.Id,
                DryRun = wanted.DryRun,
            },
            cancellationToken);
    }

    private async ValueTask<Outcome<SettingSpec>> BeforeAsync(Resource? resource, CancellationToken cancellationToken)
    {
        if (resource is null) return new SettingSpec("", "");
        var stored = await changes.ReadStoredAsync(resource, cancellationToken);
        return stored.TryGet(out var whole, out var fault)
            ? JsonSerializer.Deserialize(changes.Open(whole)
                .Span, SettingJson.Default.SettingSpec) ?? new SettingSpec("", "")
            : fault;
    }

    /// <summary>
    /// Where the text alone is at fault the code says so, and the places are the text's own. As a resource, among
    /// others of other kinds, a setting with such faults is <c>resource_invalid</c> like any.
    /// </summary>
    private static Fault AsSyntax(Fault fault)
    {
        if (fault.Error != ErrorCodes.ResourceInvalid || fault.Fields.IsDefaultOrEmpty
            || fault.Fields.Any(field => field.Path != ContentFaults.Path || field.Line is null)) return fault;
        var breaksSchema = fault.Fields.All(field =>
            field.Message.StartsWith(SettingSchema.CodePrefix, StringComparison.Ordinal));
        return new Fault(
            breaksSchema ? ErrorCodes.SettingSchema : ErrorCodes.SettingSyntax,
            $"The text was not published: {fault.Detail}")
        {
            Fields = [.. fault.Fields.Select(field => field with { Path = "" })],
        };
    }
}
