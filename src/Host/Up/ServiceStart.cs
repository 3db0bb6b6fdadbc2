using System.Collections.Immutable;
using System.Globalization;
using Groundwork.Host.Processes;

namespace Groundwork.Host.Up;

/// <summary>How the replicas of a service are run: the command, where, and with which environment.</summary>
internal static class ServiceStart
{
    /// <param name="assembly">What the service's project became; null when it has a command.</param>
    public static ReplicaStart Of(
        UpFile file, ServiceDefinition service, int replica, int port, string? assembly, string apiAddress,
            string keyFile)
    {
        var environment = ImmutableDictionary.CreateBuilder<string, string?>(StringComparer.Ordinal);
        environment[SocketCompletions.Variable] = null; // Ours, should we have it.
        environment["ASPNETCORE_URLS"] = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");
        environment["PORT"] = port.ToString(CultureInfo.InvariantCulture);
        // What the service says of itself wins over what we would set, except for who it is to the platform.
        foreach (var (name, value) in service.Environment) environment[name] = value;
        environment["GROUNDWORK_ADDRESS"] = apiAddress;
        environment["GROUNDWORK_NAMESPACE"] = file.Namespace;
        environment["GROUNDWORK_SERVICE"] = service.Name;
        environment["GROUNDWORK_INSTANCE_ID"] = service.InstanceId(replica);
        environment["GROUNDWORK_ACCESS_KEY_FILE"] = keyFile;
        environment["GROUNDWORK_ACCESS_KEY"] = null; // Ours, if it is set; a service has its own.
        return assembly is null
            ? new ReplicaStart(service.Command, file.Directory, environment.ToImmutable())
            : new ReplicaStart(
                [Executable.Dotnet(), assembly], Path.GetDirectoryName(
                    service.Project) ?? file.Directory, environment.ToImmutable());
    }
}
