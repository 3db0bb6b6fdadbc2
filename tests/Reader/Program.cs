using Groundwork.Client;
using Groundwork.Tests.Reader;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

// One client for each argument: an instance id, `id!` for one whose callback throws on the value 2, `id+label=value`
// for one with a label. Each prints `id value` for its first value and for every change. The platform's address, key
// and the state directory come from the GROUNDWORK_* variables, as for any service.
var hosts = new List<IHost>();
foreach (var argument in args)
{
    var parts = argument.Split('+');
    var id = parts[0].TrimEnd('!');
    var throws = parts[0].EndsWith('!');
    var builder = Host.CreateEmptyApplicationBuilder(null);
    builder.AddGroundwork(options =>
    {
        options.ServiceName = "reader";
        options.InstanceId = id;
        options.Register = false;
        options.DiskSnapshot = options.SnapshotDirectory is not null;
        foreach (var label in parts.Skip(1).Select(text => text.Split('='))) options.Labels[label[0]] = label[1];
    });
    var host = builder.Build();
    hosts.Add(host);
    await host.StartAsync();
    var front = host.Services.GetRequiredService<GroundworkSettings>().Watch<Front>("Front");
    front.OnChange(value =>
    {
        Console.WriteLine($"{id} {value.Percent}");
        if (throws && value.Percent == 2) throw new InvalidOperationException("no such theme");
    });
    Console.WriteLine($"{id} {front.Value.Percent}");
}

// The one who started it closes its input, or kills it.
await Console.In.ReadToEndAsync();
foreach (var host in hosts) await host.StopAsync();
