using System.Globalization;
using System.Text.Json;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Settings.Protocols.Nacos;

/// <summary>Lists: configurations, the versions of one, and namespaces.</summary>
internal sealed class NacosLists(ChangeLog changes, SettingAccess access, Authorizer authorizer, NacosBeta beta)
{
    /// <summary>Stands for anything in a name that is searched for.</summary>
    private const char Any = '*';

    /// <summary>Configurations whose names fit, with their texts, page by page.</summary>
    public async Task<Fault?> SearchAsync(NacosConfigCall call)
    {
        var isBlurred = call.Form["search"] == "blur";
        if (!isBlurred && call.Form["search"] != "accurate")
            return new Fault(ErrorCodes.BadRequest, "'search' must be accurate or blur.");
        if (!NacosPage.Read(call.Form).TryGet(out var page, out var fault)) return fault;
        var @namespace = NacosSettings.NamespaceOf(call.Tenant);
        var (dataId, group) = (call.Form["dataId"] ?? "", call.Form["group"] ?? "");
        var found = new List<Resource>();
        foreach (var (key, setting) in changes.Snapshots.Current.Of(SettingKind.Name))
        {
            if (key.Namespace != @namespace || !authorizer.Allows(call.Caller, Verb.Read, key)) continue;
            var name = NacosSettings.To(key);
            if (Fits(name.DataId, dataId, isBlurred) && Fits(name.Group, group, isBlurred)) found.Add(setting);
        }
        var texts = new Dictionary<ResourceKey, SettingDocument>();
        foreach (var setting in found.Skip(page.Skipped).Take(page.Size))
        {
            var read = await beta.ReadOwnAsync(setting, call.Context.RequestAborted);
            if (!read.TryGet(out var text, out fault)) return fault;
            texts[setting.Key] = text;
        }
        await call.JsonAsync(json => NacosRows.WritePage(json, found, page, setting =>
        {
            var text = texts[setting.Key];
            var isShown = beta.MaySee(call.Caller, setting.Key, text.Secret);
            json.WriteStartObject();
            json.WriteString("id", setting.Revision.ToString(CultureInfo.InvariantCulture));
            NacosRows.WriteName(json, setting.Key);
            json.WriteString("content", isShown ? text.Content : null);
            json.WriteString("md5", isShown ? NacosSettings.HashOf(text.Content) : null);
            json.WriteString("type", text.Format);
            json.WriteEndObject();
        }));
        return null;
    }

    /// <summary>The versions of a configuration, newest first; with <c>nid</c>, one of them with its text.</summary>
    public async Task<Fault?> HistoryAsync(NacosConfigCall call)
    {
        if (!call.Key().TryGet(out var key, out var fault)) return fault;
        if (access.Check(call.Context, Verb.Read, key) is { } refused) return refused;
        if (call.Form.Given("nid") is { } number) return await VersionAsync(call, key, number, isBefore: false);
        if (!NacosPage.Read(call.Form).TryGet(out var page, out fault)) return fault;
        var read = await changes.History.OfAsync(
            key, before: null, NacosConfigLimits.MaxVersions, call.Context.RequestAborted);
        if (!read.TryGet(out var versions, out fault))
        {
            if (fault.Error != ErrorCodes.ResourceNotFound) return fault;
            versions = []; // What never was has an empty history.
        }
        await call.JsonAsync(json => NacosRows.WritePage(json, versions, page, version =>
            Write(json, version, content: null)));
        return null;
    }

    /// <summary>The version before the one whose number is <c>id</c>.</summary>
    public async Task<Fault?> PreviousAsync(NacosConfigCall call)
    {
        if (!call.Key().TryGet(out var key, out var fault)) return fault;
        if (access.Check(call.Context, Verb.Read, key) is { } refused) return refused;
        return call.Form.Given("id") is { } number
            ? await VersionAsync(call, key, number, isBefore: true)
            : NacosSettings.Missing("id");
    }

    /// <summary>The namespaces that the caller may read.</summary>
    public async Task<Fault?> NamespacesAsync(NacosConfigCall call)
    {
        var now = changes.Snapshots.Current;
        var names = now.Of(Namespaces.KindName).Keys.Select(key => key.Name).Append(Names.DefaultNamespace)
            .Distinct(StringComparer.Ordinal)
            .Where(name => authorizer.Allows(
                call.Caller, Verb.Read, new ResourceKey(Namespaces.KindName, "", name)))
            .Order(StringComparer.Ordinal);
        void Write(Utf8JsonWriter json)
        {
            json.WriteStartArray();
            foreach (var name in names)
            {
                json.WriteStartObject();
                json.WriteString("namespace", NacosSettings.TenantTo(name));
                json.WriteString("namespaceShowName", name == Names.DefaultNamespace ? "public" : name);
                json.WriteNumber("quota", 0);
                json.WriteNumber(
                    "configCount", now.Of(SettingKind.Name).Keys.Count(key => key.Namespace == name));
                json.WriteNumber("type", name == Names.DefaultNamespace ? 0 : 2);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        await call.JsonAsync(json =>
        {
            if (call.IsV2)
            {
                Write(json);
                return;
            }
            json.WriteStartObject();
            json.WriteNumber("code", 200);
            json.WriteNull("message");
            json.WritePropertyName("data");
            Write(json);
            json.WriteEndObject();
        });
        return null;
    }

    private async Task<Fault?> VersionAsync(NacosConfigCall call, ResourceKey key, string number, bool isBefore)
    {
        if (!long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var revision) || revision < 1
            || revision == long.MaxValue)
            return new Fault(ErrorCodes.BadRequest, "The number of a version is a whole number above 0.");
        var read = await changes.History.OfAsync(
            key, isBefore ? revision : revision + 1, limit: 1, call.Context.RequestAborted);
        if (!read.TryGet(out var versions, out var fault))
            return fault.Error == ErrorCodes.ResourceNotFound ? None() : fault;
        if (versions is not [var version] || (!isBefore && version.Revision != revision)) return None();
        string? content = null;
        if (version is { Resource: { } resource, Compacted: false })
        {
            var spec = SettingKind.Read(changes.Open(resource));
            if (spec.Secret && access.Check(call.Context, Verb.ReadSecret, key) is { } refused) return refused;
            content = spec.Content;
        }
        await call.JsonAsync(json => Write(json, version, content));
        return null;

        static Fault None() => new(ErrorCodes.SettingNotFound, "There is no such version.");
    }

    private static void Write(Utf8JsonWriter json, Kernel.Resources.Version version, string? content)
    {
        json.WriteStartObject();
        json.WriteString("id", version.Revision.ToString(CultureInfo.InvariantCulture));
        json.WriteNumber("lastId", version.Prior ?? -1);
        NacosRows.WriteName(json, version.Key);
        json.WriteString("md5", content is null ? null : NacosSettings.HashOf(content));
        json.WriteString("content", content);
        json.WriteNull("srcIp");
        json.WriteString("srcUser", version.Author);
        json.WriteString(
            "opType", version.Operation == ChangeOperation.Delete ? "D" : version.Prior is null ? "I" : "U");
        var at = version.At.ToString("yyyy-MM-dd'T'HH:mm:ss.fffzzz", CultureInfo.InvariantCulture);
        json.WriteString("createdTime", at);
        json.WriteString("lastModifiedTime", at);
        json.WriteEndObject();
    }

    private static bool Fits(string name, string wanted, bool isBlurred)
    {
        if (wanted.Length == 0) return true;
        if (!isBlurred) return name == wanted;
        // By parts between stars, each found behind the one before.
        if (!wanted.Contains(Any, StringComparison.Ordinal))
            return name.Contains(wanted, StringComparison.OrdinalIgnoreCase);
        var parts = wanted.Split(Any);
        if (!name.StartsWith(parts[0], StringComparison.OrdinalIgnoreCase)) return false;
        var at = parts[0].Length;
        foreach (var part in parts[1..^1])
        {
            var found = name.IndexOf(part, at, StringComparison.OrdinalIgnoreCase);
            if (found < 0) return false;
            at = found + part.Length;
        }
        return name.Length - at >= parts[^1].Length
            && name.EndsWith(parts[^1], StringComparison.OrdinalIgnoreCase);
    }
}
