using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;

namespace Groundwork.Client;

/// <summary>Registers typed clients: <c>builder.Services.AddServiceClient&lt;ICatalog&gt;()</c>.</summary>
public static class ServiceClientHosting
{
    /// <summary>
    /// The most that a method reads into memory; what is longer is returned as <see cref="Stream"/> or
    /// <see cref="HttpResponseMessage"/>.
    /// </summary>
    private const long MaxAnswerBytes = 64 * 1024 * 1024;

    /// <summary>
    /// Registers the client of an interface marked <see cref="ServiceClientAttribute"/>, through
    /// <see cref="IHttpClientFactory"/>. With <see cref="GroundworkHosting.AddGroundwork"/> its calls go to instances
    /// of the service; without it, to the host of the service's name.
    /// </summary>
    /// <typeparam name="TClient">The interface.</typeparam>
    /// <param name="services">The host's services.</param>
    /// <param name="json">How bodies are written and read, such as <c>ShopJson.Default.Options</c> of a
    /// source-generated context; <see cref="JsonSerializerOptions.Web"/> when not given.</param>
    /// <returns>To change the address, the time-out and the handlers.</returns>
    [SuppressMessage("Design", "CA1054", Justification = "Not a URI.")]
    public static IHttpClientBuilder AddServiceClient<TClient>(
        this IServiceCollection services, JsonSerializerOptions? json = null)
        where TClient : class, IServiceClient<TClient>
    {
        ArgumentNullException.ThrowIfNull(services);
        var type = typeof(TClient);
        return services
            .AddHttpClient(type.FullName ?? type.Name, http =>
            {
                http.BaseAddress = new Uri($"http://{TClient.Service}/");
                http.MaxResponseContentBufferSize = MaxAnswerBytes;
            })
            .AddTypedClient(http => TClient.Create(new ServiceConnection(http, TClient.Service, json)));
    }
}
