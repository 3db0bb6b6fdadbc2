using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Settings.Readers;
using Groundwork.Services.Settings.Releases;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.Settings.Protocols.Nacos;

/// <summary>How Nacos names a setting, whom it takes its reader for, and by what it compares texts.</summary>
internal static class NacosSettings
{
    /// <summary>
    /// What stands for the service of a reader: Nacos tells a reader by its address alone, so <c>nacos/10.0.0.7</c>
    /// is one in releases and receipts.
    /// </summary>
    public const string ReaderService = "nacos";

    /// <summary>The label that every reader over Nacos has: its address.</summary>
    public const string AddressLabel = "ip";

    // What the table of names says of Nacos, for every module; a test holds the two together.
    private const string PublicNamespace = "public";
    private const string DefaultGroupName = "DEFAULT_GROUP";
    private const string DefaultGroup = "default";

    // By version of a setting or release, which is one object for as long as a snapshot has it.
    private static readonly ConditionalWeakTable<Resource, string> Hashes = [];

    /// <summary>The setting that a call means; all three texts as they were sent.</summary>
    public static Outcome<ResourceKey> Key(string? tenant, string? group, string? dataId)
    {
        if (string.IsNullOrEmpty(dataId)) return Missing("dataId");
        var @namespace = NamespaceOf(tenant);
        if (!Names.IsNamespace(@namespace))
            return new Fault(ErrorCodes.NamespaceInvalid, $"'{@namespace}' is no namespace: 1 to 63 of a-z 0-9 -.");
        var name = $"{GroupOf(group)}/{dataId}";
        return Names.IsSegment(GroupOf(group)) && Names.IsName(name)
            ? new ResourceKey(SettingKind.Name, @namespace, name)
            : new Fault(
                ErrorCodes.NameInvalid, "'dataId' and 'group' are each 1 to 128 of A-Z a-z 0-9 . _ : @ -.");
    }

    public static string NamespaceOf(string? tenant) =>
        string.IsNullOrEmpty(tenant) || tenant == PublicNamespace ? Names.DefaultNamespace : tenant;

    public static string GroupOf(string? group) =>
        string.IsNullOrEmpty(group) || group == DefaultGroupName ? DefaultGroup : group;

    /// <summary>Empty for the namespace <c>default</c>, as Nacos has it in answers about configurations.</summary>
    public static string TenantTo(string @namespace) => @namespace == Names.DefaultNamespace ? "" : @namespace;

    public static string GroupTo(string group) => group == DefaultGroup ? DefaultGroupName : group;

    /// <summary>The name of a setting as Nacos has it.</summary>
    public static (string DataId, string Group, string Tenant) To(ResourceKey key)
    {
        var (group, dataId) = SettingKind.Split(key.Name) ?? ("", key.Name);
        return (dataId, GroupTo(group), TenantTo(key.Namespace));
    }

    /// <summary>The gray release that is Nacos's beta of a setting.</summary>
    public static ResourceKey BetaOf(ResourceKey setting)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(setting.Name)).AsSpan(0, 8));
        return new ResourceKey(GrayReleaseKind.Name, setting.Namespace, $"nacos-beta-{hash}");
    }

    /// <summary>Who reads: by the address that its call came from, never one that it names.</summary>
    public static ReaderIdentity Reader(HttpContext context)
    {
        var address = context.Connection.RemoteIpAddress;
        if (address is null) return ReaderIdentity.None;
        var text = (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString();
        // A scope, as of fe80::1%eth0, is ours and not the reader's.
        if (text.IndexOf('%', StringComparison.Ordinal) is >= 0 and var scope) text = text[..scope];
        return new ReaderIdentity(
            ReaderService, text, ReaderIdentity.None.Labels.Add(AddressLabel, text), SendsReceipts: false);
    }

    /// <summary>The lower-case hex MD5 of a version's text, which is what Nacos's clients compare.</summary>
    public static string HashOf(SettingVersion version, string content)
    {
        var resource = version.Rule?.Resource ?? version.Setting;
        if (Hashes.TryGetValue(resource, out var known)) return known;
        var hash = HashOf(content);
        Hashes.AddOrUpdate(resource, hash);
        return hash;
    }

    /// <summary>The hash of a version if it is known already; else null.</summary>
    public static string? KnownHashOf(SettingVersion version) =>
        Hashes.TryGetValue(version.Rule?.Resource ?? version.Setting, out var known) ? known : null;

    // It tells versions apart, as the protocol demands it; nothing trusts in it.
#pragma warning disable CA5351
    public static string HashOf(string content) =>
        Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(content)));
#pragma warning restore CA5351

    /// <summary>Our format for one of Nacos's types; null when it says none.</summary>
    public static Outcome<string?> FormatOf(string? type) => type?.ToLowerInvariant() switch
    {
        null or "" => (string?)null,
        "json" => "json",
        "yaml" or "yml" => "yaml",
        "xml" => "xml",
        "properties" => "properties",
        "toml" => "toml",
        // HTML is a text to us: nothing here interprets it.
        "text" or "txt" or "html" or "htm" or "unset" => "text",
        _ => new Fault(ErrorCodes.BadRequest, $"'type' must be text, json, xml, yaml, html, properties or toml."),
    };

    public static Fault Missing(string parameter) =>
        new(ErrorCodes.BadRequest, $"Required parameter '{parameter}' is missing.");
}
