using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using Google.Protobuf;
using Groundwork.Communication.Gateway.Protocols.Xds.Messages;
using Groundwork.Services.Registry;

namespace Groundwork.Communication.Gateway.Protocols.Xds;

/// <summary>
/// What a stream wants of one type, and what it has been sent of it. Guarded by the stream's gate.
/// </summary>
internal sealed class XdsSubscription(XdsType type)
{
    private readonly Dictionary<string, Told> names = new(StringComparer.Ordinal);
    private bool isAsked; // For a name that it did not want before.

    public int Count => names.Count;

    /// <summary>Of the last answer; null before the first.</summary>
    public string? Nonce { get; private set; }

    /// <summary>The client has refused what it was sent, and the log says so.</summary>
    public bool IsRefused { get; set; }

    /// <summary>
    /// It wants these from now on, and no others. What it did not want meanwhile it has forgotten, and is sent again.
    /// </summary>
    public void Want(IReadOnlyCollection<string> wanted)
    {
        var kept = wanted.ToHashSet(StringComparer.Ordinal);
        foreach (var name in names.Keys)
            if (!kept.Contains(name)) names.Remove(name);
        foreach (var name in kept) isAsked |= names.TryAdd(name, new Told());
    }

    /// <summary>The next answer; null when the stream has been sent everything.</summary>
    /// <param name="offer">What there is by a name for whoever asks; null: nothing.</param>
    /// <param name="zone">Where the client is.</param>
    public DiscoveryResponse? Next(Func<string, XdsOffer?> offer, string zone, string version, long nonce)
    {
        var answer = new DiscoveryResponse();
        var isNews = XdsTypes.IsWhole(type) ? TellAll(answer, offer) : TellNew(answer, offer, zone);
        if (!isNews) return null;
        Nonce = nonce.ToString(CultureInfo.InvariantCulture);
        answer.Nonce = Nonce;
        answer.VersionInfo = version + "." + Nonce;
        answer.TypeUrl = XdsTypes.UrlOf(type);
        return answer;
    }

    private bool TellAll(DiscoveryResponse answer, Func<string, XdsOffer?> offer)
    {
        var isNews = isAsked;
        isAsked = false;
        foreach (var (name, told) in names)
        {
            // A host has no cluster of its own.
            var isThere = offer(name) is { } there && (type == XdsType.Listener || there.Service is not null);
            isNews |= isThere != told.IsThere;
            if (isThere && !told.IsThere) told.Appearance = (uint)Random.Shared.Next();
            told.IsThere = isThere;
            if (isThere) Add(answer, XdsResources.Make(type, name, told.Appearance));
        }
        return isNews;
    }

    private bool TellNew(DiscoveryResponse answer, Func<string, XdsOffer?> offer, string zone)
    {
        var bytes = 0;
        foreach (var (name, told) in names)
        {
            var found = offer(name);
            if (type == XdsType.Routes
                ? !IsNews(name, told, found, out var resource)
                : !IsNews(name, told, found?.Service, zone, out resource)) continue;
            Add(answer, resource);
            bytes += resource.Length;
            if (bytes >= XdsLimits.AnswerBytes) break; // The rest comes with the next answer.
        }
        return bytes > 0;
    }

    private bool IsNews(
        string name, Told told, ServiceView? view, string zone, [NotNullWhen(true)] out ByteString? resource)
    {
        resource = null;
        var wasThere = told.IsThere;
        if (ReferenceEquals(view, told.View)) return false;
        told.View = view;
        // An empty list is believed only with a reason: a node that has just lost its memory has none.
        if (view is { Instances.IsEmpty: true, EmptyReason: null }) return false;
        told.IsThere = view is not null;
        // Of this type nothing can be taken back, so that what is gone is said to have no endpoints.
        if (!told.IsThere && !wasThere) return false;
        resource = XdsEndpoints.Of(name, view, zone).ToByteString();
        return told.IsOther(resource);
    }

    // Of this type, too, nothing can be taken back; the listener that led there is gone then.
    private static bool IsNews(
        string name, Told told, XdsOffer? offer, [NotNullWhen(true)] out ByteString? resource)
    {
        resource = null;
        if (!told.IsThere || offer is null) told.Digest = null; // It is sent again when it is back.
        var isKnown = told.IsThere && ReferenceEquals(offer?.Host, told.Host);
        (told.IsThere, told.Host) = (offer is not null, offer?.Host);
        if (offer is null || isKnown) return false;
        resource = XdsResources.MakeRoutes(name, offer.Host);
        return told.IsOther(resource);
    }

    private void Add(DiscoveryResponse answer, ByteString resource) =>
        answer.Resources.Add(XdsResources.Pack(type, resource));

    /// <summary>What the client has been told by a name.</summary>
    private sealed class Told
    {
        public bool IsThere { get; set; }

        /// <summary>See <see cref="XdsResources.Make"/>.</summary>
        public uint Appearance { get; set; }

        /// <summary>What its endpoints are made of.</summary>
        public ServiceView? View { get; set; }

        /// <summary>What its routes are made of; null for a service, of which they never change.</summary>
        public XdsHost? Host { get; set; }

        /// <summary>Of what it was sent: most changes of a service change nothing of its endpoints.</summary>
        public byte[]? Digest { get; set; }

        /// <summary>True when it was sent something else.</summary>
        public bool IsOther(ByteString resource)
        {
            var digest = SHA256.HashData(resource.Span);
            if (Digest is { } before && before.AsSpan().SequenceEqual(digest)) return false;
            Digest = digest;
            return true;
        }
    }
}
