using System.Globalization;
using System.Text;
using System.Text.Json;
using Groundwork.Wire;

namespace Groundwork.Services.Registry.Watching;

/// <summary>
/// A view as JSON bytes, shared by everybody who waits for it. Without expiry times: renewals do not change it.
/// </summary>
internal sealed class SharedAnswer
{
    private SharedAnswer(ServiceView view, byte[] json)
    {
        View = view;
        var head = string.Create(CultureInfo.InvariantCulture, $"event: service\nid: {view.Index}\ndata: ");
        byte[] whole = [.. Encoding.ASCII.GetBytes(head), .. json, .. "\n\n"u8];
        Event = whole;
        Json = Event.Slice(head.Length, json.Length);
    }

    public ServiceView View { get; }

    /// <summary>One line of UTF-8.</summary>
    public ReadOnlyMemory<byte> Json { get; }

    /// <summary>The same as a whole server-sent event.</summary>
    public ReadOnlyMemory<byte> Event { get; }

    /// <param name="expiresAt">Given for an answer that is not shared.</param>
    public static SharedAnswer Of(
        ServiceView view, string storeId, Func<Instance, DateTimeOffset?>? expiresAt = null) => new(
        view,
        JsonSerializer.SerializeToUtf8Bytes(
            InstanceDocuments.Write(view, storeId, expiresAt), WireJson.Strict.ServiceDocument));
}
