using Groundwork.Client.Calls;
using Groundwork.Client.Registration;
using Groundwork.Client.Settings;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Groundwork.Client;

/// <summary>Makes a host a service of the platform: <c>builder.AddGroundwork()</c>.</summary>
public static class GroundworkHosting
{
    /// <summary>
    /// Registers the service while its server listens, makes the platform's settings part of the configuration with
    /// live reload, lets every client of <see cref="IHttpClientFactory"/> call <c>http://name/</c>, and adds the health
    /// check
    /// <c>groundwork</c>. Waits at most <see cref="GroundworkOptions.StartupTimeout"/> for settings and never throws
    /// because the platform is away.
    /// </summary>
    /// <remarks>
    /// Settings rank above <c>appsettings.json</c> and below environment variables and the command line. Add what ranks
    /// below them before this call.
    /// </remarks>
    /// <param name="builder">The host's builder.</param>
    /// <param name="configure">Last word on the options.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="OptionsValidationException">The options are wrong; says everything that is.</exception>
    /// <exception cref="InvalidOperationException">It was called before on this builder.</exception>
    public static IHostApplicationBuilder AddGroundwork(
        this IHostApplicationBuilder builder, Action<GroundworkOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (builder.Services.Any(service => service.ServiceType == typeof(GroundworkSettings)))
            throw new InvalidOperationException("AddGroundwork was called twice on one builder.");
        var options = new GroundworkOptions();
        options.ReadFrom(builder.Configuration);
        configure?.Invoke(options);
        options.Settle(builder.Environment.ApplicationName);

        var parts = new ClientParts(options);
        parts.LoadAtStart();
        AddSettings(builder, parts);
        AddDiscovery(builder.Services, parts);
        AddLifecycle(builder.Services, parts);
        return builder;
    }

    /// <summary>
    /// Registers a <see cref="DynamicSetting{T}"/> of a section, to be taken from the services; it begins to follow
    /// when it is first asked for. Needs <see cref="AddGroundwork"/>.
    /// </summary>
    /// <typeparam name="T">A class; a section that does not exist gives it as it is made.</typeparam>
    /// <param name="services">The host's services.</param>
    /// <param name="section">Such as <c>Storefront</c>.</param>
    /// <param name="validate">What is wrong with a value, or null.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddDynamicSetting<T>(
        this IServiceCollection services, string section, Func<T, string?>? validate = null)
        where T : class, new() =>
        services.AddSingleton(provider =>
            provider.GetRequiredService<GroundworkSettings>().Watch(section, validate));

    private static void AddSettings(IHostApplicationBuilder builder, ClientParts parts)
    {
        // After the last file, so that the environment and the command line keep the last word.
        var sources = builder.Configuration.Sources;
        var last = sources.Count;
        while (last > 0 && sources[last - 1] is not FileConfigurationSource) last--;
        sources.Insert(last > 0 ? last : sources.Count, parts.Provider);
        parts.Calls.Follow(builder.Configuration, parts.Provider);
        parts.Checks.Follow(builder.Configuration);

        builder.Services.AddSingleton(provider => new GroundworkSettings(
            provider.GetRequiredService<IConfiguration>(), parts.Provider, parts.Platform, parts.Users, parts.Log));
        builder.Services.AddSingleton(parts.Users);
        builder.Services.AddSingleton(parts.Flags);
        builder.Services.AddSingleton(parts.LastGood);
        builder.Services.Replace(
            ServiceDescriptor.Transient(typeof(IOptionsFactory<>), typeof(SettledOptionsFactory<>)));
    }

    private static void AddDiscovery(IServiceCollection services, ClientParts parts)
    {
        services.AddSingleton(new GroundworkServices(parts.Caller, parts.Directory, parts.Calls));
        services.ConfigureHttpClientDefaults(client =>
            client.AddHttpMessageHandler(() => new GroundworkHandler(parts.Caller)));
        services.AddHttpClient();
    }

    private static void AddLifecycle(IServiceCollection services, ClientParts parts)
    {
        services.AddSingleton<IHostedService>(provider => new ClientLifecycle(
            parts, provider.GetService<IServer>(), provider.GetRequiredService<ILoggerFactory>()));
        services.AddSingleton<IStartupFilter>(new IncomingCalls(parts.Options));
        services.AddSingleton<IStartupFilter>(new DrainingResponses(parts.Registration));
        services.AddHealthChecks().Add(new HealthCheckRegistration(
            "groundwork",
            new GroundworkHealthCheck(
                parts.Options, parts.Platform, parts.Registration, parts.Provider, parts.Calls),
            failureStatus: null,
            tags: ["ready"]));
    }
}
