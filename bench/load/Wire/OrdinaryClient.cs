using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Load.Wire;

/// <summary>
/// One connection of <see cref="HttpClient"/>, the client that .NET programs have: what a caller gets who does not
/// count its own processor time. It speaks HTTP/1.1 to us and gRPC over HTTP/2 to a peer.
/// </summary>
internal sealed class OrdinaryClient : IDisposable
{
    private const int GrpcHead = 5; // A byte for "not compressed", four of length.

    private readonly HttpClient client = new(new SocketsHttpHandler
    {
        MaxConnectionsPerServer = 1,
        UseProxy = false,
        PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
    });

    /// <exception cref="HttpRequestException">The answer is not 200 to 299.</exception>
    public async Task PutAsync(Uri address, string accessKey, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, address) { Content = new StringContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", accessKey);
        using var answer = await client.SendAsync(request);
        answer.EnsureSuccessStatusCode();
    }

    /// <exception cref="InvalidDataException">The call failed.</exception>
    public async Task CallAsync(Uri method, byte[] message)
    {
        var framed = new byte[message.Length + GrpcHead];
        BinaryPrimitives.WriteInt32BigEndian(framed.AsSpan(1), message.Length);
        message.CopyTo(framed, GrpcHead);
        using var request = new HttpRequestMessage(HttpMethod.Post, method)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(framed),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        using var answer = await client.SendAsync(request);
        await answer.Content.ReadAsByteArrayAsync();
        if (!answer.TrailingHeaders.TryGetValues("grpc-status", out var status) || status.First() != "0")
            throw new InvalidDataException("The call failed.");
    }

    /// <summary>The services of a registry watch, as they come; ends with the stream.</summary>
    public async IAsyncEnumerable<ServiceDocument> WatchAsync(
        Uri address, string accessKey, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", accessKey);
        using var answer = await client.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        answer.EnsureSuccessStatusCode();
        await using var body = await answer.Content.ReadAsStreamAsync(cancellationToken);
        var events = SseParser.Create(body, (_, data) =>
            JsonSerializer.Deserialize(data, WireJson.Lenient.ServiceDocument)
            ?? throw new InvalidDataException("An event is null."));
        await foreach (var item in events.EnumerateAsync(cancellationToken)) yield return item.Data;
    }

    public void Dispose() => client.Dispose();
}
