using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Wire;

namespace Groundwork.Services.Registry.Protocols.Nacos;

/// <summary>
/// The parameters of a beat, taken from the query in one pass. A collection of all of them, with the beat decoded into
/// a text of its own, would cost more than the renewal.
/// </summary>
internal struct BeatQuery
{
    private const int StackBytes = 512;

    private string? query;
    private Range beat;
    private bool hasBeat;

    public string? Namespace { get; private set; }

    public string? Service { get; private set; }

    public string? Group { get; private set; }

    public string? Ip { get; private set; }

    public string? Port { get; private set; }

    public string? Cluster { get; private set; }

    public string? Token { get; private set; }

    public string? Name { get; private set; }

    public string? Password { get; private set; }

    /// <summary>Of the query, and what it lacks of the form.</summary>
    /// <param name="text">With its question mark; null or empty: none.</param>
    public static BeatQuery Read(string? text, FormCall form)
    {
        var read = new BeatQuery { query = text };
        var at = 1;
        while (text is not null && at < text.Length)
        {
            var end = text.IndexOf('&', at);
            if (end < 0) end = text.Length;
            var equals = text.AsSpan(at, end - at).IndexOf('=');
            if (equals > 0) read.Take(text.AsSpan(at, equals), text.AsSpan(), (at + equals + 1)..end);
            at = end + 1;
        }
        read.Namespace ??= form.InForm("namespaceId");
        read.Service ??= form.InForm("serviceName");
        read.Group ??= form.InForm("groupName");
        read.Ip ??= form.InForm("ip");
        read.Port ??= form.InForm("port");
        read.Cluster ??= form.InForm("clusterName") ?? form.InForm("cluster");
        read.Token ??= form.InForm("accessToken");
        read.Name ??= form.InForm("username");
        read.Password ??= form.InForm("password");
        return read;
    }

    /// <summary>The beat's JSON in clear.</summary>
    /// <returns>Its length; 0 when there is none, negative when it is too large.</returns>
    public readonly int Decode(FormCall form, byte[] into)
    {
        if (hasBeat)
        {
            var raw = query.AsSpan()[beat];
            if (!Encoding.UTF8.TryGetBytes(raw, into, out var length)) return -1;
            return FormCall.DecodeBytes(into.AsSpan(0, length), into);
        }
        if (form.InForm("beat") is not { } text) return 0;
        return Encoding.UTF8.TryGetBytes(text, into, out var written) ? written : -1;
    }

    /// <summary>Whose beat it is: as the JSON says, and where it says nothing, as the parameters do.</summary>
    public readonly Outcome<NacosTarget> Target(ReadOnlySpan<byte> json)
    {
        var (ip, cluster, service) = (Ip, Cluster, Service);
        int? port = int.TryParse(Port, NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : null;
        // What is beside the JSON with its group counts before what is inside it.
        var isGrouped = service?.Contains(ServiceKey.GroupSeparator, StringComparison.Ordinal) == true;
        try
        {
            var reader = new Utf8JsonReader(json);
            if (!json.IsEmpty && (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)) return Malformed();
            while (!json.IsEmpty && reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("ip"u8)) ip = Text(ref reader) ?? ip;
                else if (reader.ValueTextEquals("cluster"u8)) cluster = Text(ref reader) ?? cluster;
                else if (reader.ValueTextEquals("port"u8)) port = Number(ref reader) ?? port;
                else if (!isGrouped && reader.ValueTextEquals("serviceName"u8)) service = Text(ref reader) ?? service;
                else reader.Skip();
            }
        }
        catch (Exception bad) when (bad is JsonException or InvalidOperationException)
        {
            return Malformed(); // The second is text that is not UTF-8.
        }
        if (string.IsNullOrEmpty(service)) return NacosTarget.Missing("serviceName");
        if (string.IsNullOrEmpty(ip)) return NacosTarget.Missing("ip");
        if (port is null) return NacosTarget.Missing("port");
        return ProtocolNames.OfNacos(Namespace, Group, service).TryGet(out var key, out var fault)
            ? new NacosTarget(key, ip, port.Value, NacosWords.ClusterOf(cluster))
            : fault;
    }

    public static Fault Malformed() => new(ErrorCodes.BadRequest, "'beat' must be a JSON object.");

    private void Take(ReadOnlySpan<char> name, ReadOnlySpan<char> text, Range value)
    {
        switch (name)
        {
            case "beat" when !hasBeat:
                (beat, hasBeat) = (value, text[value].Length > 0);
                break;
            case "namespaceId":
                Namespace ??= Decode(text[value]);
                break;
            case "serviceName":
                Service ??= Decode(text[value]);
                break;
            case "groupName":
                Group ??= Decode(text[value]);
                break;
            case "ip":
                Ip ??= Decode(text[value]);
                break;
            case "port":
                Port ??= Decode(text[value]);
                break;
            case "clusterName" or "cluster":
                Cluster ??= Decode(text[value]);
                break;
            case "accessToken":
                Token ??= Decode(text[value]);
                break;
            case "username":
                Name ??= Decode(text[value]);
                break;
            case "password":
                Password ??= Decode(text[value]);
                break;
        }
    }

    private static string Decode(ReadOnlySpan<char> text)
    {
        if (text.IndexOfAny('%', '+') < 0) return new string(text);
        var most = Encoding.UTF8.GetMaxByteCount(text.Length);
        byte[]? rented = null;
        var bytes = most <= StackBytes
            ? stackalloc byte[StackBytes]
            : rented = ArrayPool<byte>.Shared.Rent(most);
        try
        {
            var length = FormCall.DecodeBytes(bytes[..Encoding.UTF8.GetBytes(text, bytes)], bytes);
            return Encoding.UTF8.GetString(bytes[..length]);
        }
        finally
        {
            if (rented is not null) ArrayPool<byte>.Shared.Return(rented, clearArray: true);
        }
    }

    private static string? Text(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.String) return reader.GetString();
        reader.Skip();
        return null;
    }

    private static int? Number(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var number)) return number;
        reader.Skip();
        return null;
    }
}
