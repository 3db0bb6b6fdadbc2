using System.Net;
using System.Text.Json;

namespace Groundwork.Client;

/// <summary>
/// Sends the calls of a generated client and reads their answers. A status of failure is a
/// <see cref="ServiceCallException"/>, except for methods that return the whole <see cref="HttpResponseMessage"/>.
/// </summary>
public sealed class ServiceConnection
{
    private readonly HttpClient http;
    private readonly string service;
    private readonly JsonSerializerOptions json;

    /// <summary>A connection through a client.</summary>
    /// <param name="http">Its base address is where the service is.</param>
    /// <param name="service">The service's name, for messages.</param>
    /// <param name="json">How bodies are written and read; <see cref="JsonSerializerOptions.Web"/> when null.</param>
    public ServiceConnection(HttpClient http, string service, JsonSerializerOptions? json = null)
    {
        ArgumentNullException.ThrowIfNull(http);
        this.http = http;
        this.service = service;
        this.json = json ?? JsonSerializerOptions.Web;
    }

    /// <summary>Begins a call.</summary>
    /// <param name="method">The HTTP method.</param>
    /// <param name="name">Interface and method, under which policies know the call.</param>
    public ServiceRequest Begin(HttpMethod method, string name) => new(method, name, json);

    /// <summary>Sends, and gives the answer as it is, whatever its status; the caller disposes of it.</summary>
    public Task<HttpResponseMessage> SendAsync(ServiceRequest call, CancellationToken cancellationToken) =>
        SendAsync(call, HttpCompletionOption.ResponseHeadersRead, cancellationToken);

    /// <summary>Sends, and expects nothing but success.</summary>
    public async Task RunAsync(ServiceRequest call, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(call, HttpCompletionOption.ResponseContentRead, cancellationToken);
        await ThrowUnlessSuccessAsync(call, response, cancellationToken);
    }

    /// <summary>Sends, and reads JSON; an answer without content is a failure.</summary>
    public async Task<T> GetAsync<T>(ServiceRequest call, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(call, HttpCompletionOption.ResponseContentRead, cancellationToken);
        await ThrowUnlessSuccessAsync(call, response, cancellationToken);
        return await ReadAsync<T>(call, response, cancellationToken)
            ?? throw Unreadable<T>(call, response, cause: null);
    }

    /// <summary>Sends, and reads JSON; nothing when the answer is 404, or has no content.</summary>
    public async Task<T?> FindAsync<T>(ServiceRequest call, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(call, HttpCompletionOption.ResponseContentRead, cancellationToken);
        if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.NoContent) return default;
        await ThrowUnlessSuccessAsync(call, response, cancellationToken);
        return await ReadAsync<T>(call, response, cancellationToken);
    }

    /// <summary>Sends, and gives the content as text.</summary>
    public async Task<string> GetTextAsync(ServiceRequest call, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(call, HttpCompletionOption.ResponseContentRead, cancellationToken);
        await ThrowUnlessSuccessAsync(call, response, cancellationToken);
        return await response.Content.ReadAsStringAsync(cancellationToken);
    }

    /// <summary>Sends, and gives the content as text; null when the answer is 404.</summary>
    public async Task<string?> FindTextAsync(ServiceRequest call, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(call, HttpCompletionOption.ResponseContentRead, cancellationToken);
        if (response.StatusCode == HttpStatusCode.NotFound) return null;
        await ThrowUnlessSuccessAsync(call, response, cancellationToken);
        return await response.Content.ReadAsStringAsync(cancellationToken);
    }

    /// <summary>Sends, and gives the content as bytes.</summary>
    public async Task<byte[]> GetBytesAsync(ServiceRequest call, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(call, HttpCompletionOption.ResponseContentRead, cancellationToken);
        await ThrowUnlessSuccessAsync(call, response, cancellationToken);
        return await response.Content.ReadAsByteArrayAsync(cancellationToken);
    }

    /// <summary>Sends, and gives the content as bytes; null when the answer is 404.</summary>
    public async Task<byte[]?> FindBytesAsync(ServiceRequest call, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(call, HttpCompletionOption.ResponseContentRead, cancellationToken);
        if (response.StatusCode == HttpStatusCode.NotFound) return null;
        await ThrowUnlessSuccessAsync(call, response, cancellationToken);
        return await response.Content.ReadAsByteArrayAsync(cancellationToken);
    }

    /// <summary>Sends, and gives the content as it comes; the caller disposes of it.</summary>
    public async Task<Stream> GetStreamAsync(ServiceRequest call, CancellationToken cancellationToken)
    {
        var response = await SendAsync(call, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        return await OpenAsync(call, response, cancellationToken);
    }

    /// <summary>Sends, and gives the content as it comes; null when the answer is 404.</summary>
    public async Task<Stream?> FindStreamAsync(ServiceRequest call, CancellationToken cancellationToken)
    {
        var response = await SendAsync(call, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (response.StatusCode != HttpStatusCode.NotFound) return await OpenAsync(call, response, cancellationToken);
        response.Dispose();
        return null;
    }

    // The stream, disposed of, gives its connection back: the response holds nothing else.
    private async Task<Stream> OpenAsync(
        ServiceRequest call, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            await ThrowUnlessSuccessAsync(call, response, cancellationToken);
            return await response.Content.ReadAsStreamAsync(cancellationToken);
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    private async Task<HttpResponseMessage> SendAsync(
        ServiceRequest call, HttpCompletionOption completion, CancellationToken cancellationToken)
    {
        var address = http.BaseAddress
            ?? throw new InvalidOperationException($"The client of '{service}' has no base address.");
        // Not disposed of here: an early answer leaves the body still on its way.
        return await http.SendAsync(call.ToRequest(address), completion, cancellationToken);
    }

    private async Task<T?> ReadAsync<T>(
        ServiceRequest call, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            var content = await response.Content.ReadAsStreamAsync(cancellationToken);
            return content is { CanSeek: true, Length: 0 }
                ? default
                : await JsonSerializer.DeserializeAsync<T>(content, json, cancellationToken);
        }
        catch (JsonException fault)
        {
            throw Unreadable<T>(call, response, fault);
        }
    }

    private ServiceCallException Unreadable<T>(
        ServiceRequest call, HttpResponseMessage response, JsonException? cause) =>
        new(service, call.Name, response.StatusCode, new Problem(
            null, cause is null ? $"the answer is no {typeof(T).Name}: it is empty"
                : $"the answer is no {typeof(T).Name}: {cause.Message}"), cause);

    private async ValueTask ThrowUnlessSuccessAsync(
        ServiceRequest call, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.IsSuccessStatusCode) return;
        var problem = await Problem.ReadAsync(response.Content, cancellationToken);
        throw new ServiceCallException(service, call.Name, response.StatusCode, problem, cause: null);
    }
}
