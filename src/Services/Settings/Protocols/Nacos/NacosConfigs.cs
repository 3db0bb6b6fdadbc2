using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings.Readers;
using Groundwork.Services.Settings.Releases;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Groundwork.Wire.Nacos;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.Settings.Protocols.Nacos;

/// <summary>Reads, publishes and deletes configurations.</summary>
internal sealed class NacosConfigs(
    ChangeLog changes, SettingReader reader, SettingAccess access, LiveReaders readers, NacosBeta beta)
{
    /// <summary>The reason that stands in the history where the caller gives none.</summary>
    public const string Reason = "published over Nacos";

    private readonly SettingPublisher publisher = new(changes);

    /// <summary>The text that is meant for the caller, as it is.</summary>
    public async Task<Fault?> GetAsync(NacosConfigCall call)
    {
        if (!call.Key().TryGet(out var key, out var fault)) return fault;
        if (access.Check(call.Context, Verb.Read, key) is { } refused) return refused;
        if (call.Form["beta"] == "true") return await beta.ShowAsync(call, key);
        var now = changes.Snapshots.Current;
        var caller = call.Reader();
        var read = await reader.ReadOneAsync(now, caller, key, call.Context.RequestAborted);
        if (!read.TryGet(out var setting, out fault))
        {
            return fault.Error == ErrorCodes.SettingNotFound
                ? fault with { Detail = "config data not exist" } // As Nacos words it; tools look for it.
                : fault;
        }
        if (call.Form["show"] == "all") await ShowAllAsync(call, key, setting, now.Find(key));
        else await WriteAsync(call, key, setting, now);
        using var connection = readers.Begin(
            caller, new SettingSelection(key.Namespace, [SettingKind.Split(key.Name)?.Group ?? ""]));
        connection?.Sent(new SettingSnapshot(now.StoreId, now.Revision, key.Namespace, [setting]), now);
        return null;
    }

    public async Task<Fault?> PublishAsync(NacosConfigCall call)
    {
        if (!call.Key().TryGet(out var key, out var fault)) return fault;
        if (call.Form.Given("content") is not { } content) return NacosSettings.Missing("content");
        if (!NacosSettings.FormatOf(call.Form["type"]).TryGet(out var format, out fault)) return fault;
        if (call.Context.Request.Headers["betaIps"].ToString() is { Length: > 0 } addresses)
            return await beta.PublishAsync(call, key, content, addresses);
        if (access.Check(call.Context, Verb.Write, key) is { } refused) return refused;
        var now = changes.Snapshots.Current.Find(key);
        var condition = await ConditionAsync(call, key, now);
        if (!condition.TryGet(out var expect, out fault)) return fault;
        var publication = new SettingPublication(call.Caller, key, content)
        {
            Format = format,
            Description = call.Form.Given("desc") is { Length: <= SettingKind.MaxDescription } text ? text : null,
            Expect = expect,
            Id = IdOf(call.Caller, key, content, format, now?.Revision ?? 0),
            Reason = ReasonOf(call),
        };
        var published = await publisher.PublishAsync(publication, call.Context.RequestAborted);
        fault = Find(published);
        if (fault is null) await call.TrueAsync();
        return fault;
    }

    /// <summary>Deletes a configuration with its gray releases; one that is gone already is right as well.</summary>
    public async Task<Fault?> DeleteAsync(NacosConfigCall call)
    {
        if (!call.Key().TryGet(out var key, out var fault)) return fault;
        if (call.Form["beta"] == "true") return await beta.StopAsync(call, key);
        if (access.Check(call.Context, Verb.Delete, key) is { } refused) return refused;
        if (changes.Snapshots.Current.Find(key) is not null)
        {
            if (!(await beta.ReleasesOfAsync(key, call.Context.RequestAborted)).TryGet(out var gray, out fault))
                return fault;
            foreach (var release in gray)
                if (access.Check(call.Context, Verb.Delete, release) is { } barred) return barred;
            var deleted = await changes.CommitAsync(
                new Changeset(call.Caller, [.. gray.Select(one => Change.Delete(one)), Change.Delete(key)])
                {
                    Reason = ReasonOf(call, "deleted over Nacos"),
                },
                call.Context.RequestAborted);
            // Somebody else was quicker.
            if (Find(deleted) is { } failed && failed.Error != ErrorCodes.ResourceNotFound) return failed;
        }
        await call.TrueAsync();
        return null;
    }

    /// <summary>What keeps a change from being in force; null when it is.</summary>
    public static Fault? Find(Outcome<Commit> outcome)
    {
        if (!outcome.TryGet(out var commit, out var fault)) return fault;
        return commit.Proposal is { } proposal
            ? new Fault(ErrorCodes.Forbidden, $"The change takes a second person; it waits as proposal {proposal}.")
            : null;
    }

    public static string ReasonOf(NacosConfigCall call, string usual = Reason) =>
        call.Form.Given("src_user") is { Length: <= 64 } user && user.All(c => c is >= ' ' and <= '~')
            ? $"{usual} for {user}"
            : usual;

    /// <summary>
    /// The same for the same publication upon the same version: clients repeat what they heard no answer to, and a
    /// repeat is to be one change, or one proposal.
    /// </summary>
    private static Guid IdOf(Principal caller, ResourceKey key, string content, string? format, long revision)
    {
        var text = string.Create(
            CultureInfo.InvariantCulture, $"{caller.Name}\n{key}\n{revision}\n{format}\n{content}");
        return new Guid(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16));
    }

    /// <summary>The revision that <c>casMd5</c> stands for; null when it is not given.</summary>
    private async ValueTask<Outcome<long?>> ConditionAsync(NacosConfigCall call, ResourceKey key, Resource? now)
    {
        var wanted = call.Context.Request.Headers["casMd5"].ToString() is { Length: > 0 } header
            ? header
            : call.Form.Given("casMd5");
        if (wanted is null) return (long?)null;
        var conflict = new Fault(
            ErrorCodes.RevisionConflict, "Cas publish fail, server md5 may have changed.");
        if (now is null) return conflict;
        // By what it says the text might be guessed: who may not read it may not compare it.
        var read = await beta.ReadOwnAsync(now, call.Context.RequestAborted);
        if (!read.TryGet(out var setting, out var fault)) return fault;
        var verb = setting.Secret ? Verb.ReadSecret : Verb.Read;
        if (access.Check(call.Context, verb, key) is { } refused) return refused;
        return NacosSettings.HashOf(setting.Content) == wanted ? now.Revision : conflict;
    }

    private static Task WriteAsync(
        NacosConfigCall call, ResourceKey key, SettingDocument setting, Snapshot now)
    {
        var headers = call.Context.Response.Headers;
        headers["Content-MD5"] = NacosSettings.HashOf(setting.Content);
        headers["Config-Type"] = setting.Format;
        if (now.Find(key) is { } resource)
            headers.LastModified = resource.ChangedAt.ToUniversalTime().ToString("R", CultureInfo.InvariantCulture);
        if (setting.Release is not null) headers["isBeta"] = "true";
        return call.IsV2
            ? call.JsonAsync(json => json.WriteStringValue(setting.Content))
            : FormCall.AnswerAsync(
                call.Context, StatusCodes.Status200OK, NacosReply.TextType, Encoding.UTF8.GetBytes(setting.Content));
    }

    private static Task ShowAllAsync(
        NacosConfigCall call, ResourceKey key, SettingDocument setting, Resource? resource) =>
        call.JsonAsync(json =>
        {
            json.WriteStartObject();
            NacosRows.WriteName(json, key);
            json.WriteString("id", setting.Revision.ToString(CultureInfo.InvariantCulture));
            json.WriteString("content", setting.Content);
            json.WriteString("md5", NacosSettings.HashOf(setting.Content));
            json.WriteString("type", setting.Format);
            json.WriteString("createUser", resource?.ChangedBy);
            json.WriteNumber("modifyTime", resource?.ChangedAt.ToUnixTimeMilliseconds() ?? 0);
            json.WriteEndObject();
        });
}

/// <summary>What rows of lists have in common.</summary>
internal static class NacosRows
{
    public static void WriteName(Utf8JsonWriter json, ResourceKey key)
    {
        var (dataId, group, tenant) = NacosSettings.To(key);
        json.WriteString("dataId", dataId);
        json.WriteString("group", group);
        json.WriteString("tenant", tenant);
        json.WriteString("appName", "");
    }

    /// <summary>One page of rows that are counted already.</summary>
    public static void WritePage<TRow>(
        Utf8JsonWriter json, IReadOnlyCollection<TRow> rows, NacosPage page, Action<TRow> write)
    {
        json.WriteStartObject();
        json.WriteNumber("totalCount", rows.Count);
        json.WriteNumber("pageNumber", page.Number);
        json.WriteNumber("pagesAvailable", (rows.Count + page.Size - 1) / page.Size);
        json.WriteStartArray("pageItems");
        foreach (var row in rows.Skip(page.Skipped).Take(page.Size)) write(row);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}

/// <summary>Which page of a list is wanted.</summary>
internal readonly record struct NacosPage(int Number, int Size)
{
    private const int UsualSize = 100;

    public int Skipped => (int)Math.Min((Number - 1L) * Size, int.MaxValue);

    public static Outcome<NacosPage> Read(FormCall form)
    {
        var fault = new Fault(
            ErrorCodes.BadRequest,
            $"'pageNo' and 'pageSize' must be numbers above 0, of at most {NacosConfigLimits.MaxPageSize} a page.");
        if (!TryRead(form["pageNo"], 1, out var number) || !TryRead(form["pageSize"], UsualSize, out var size))
            return fault;
        return size <= NacosConfigLimits.MaxPageSize ? new NacosPage(number, size) : fault;
    }

    private static bool TryRead(string? text, int usual, out int number)
    {
        number = usual;
        return string.IsNullOrEmpty(text)
            || (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number > 0);
    }
}
