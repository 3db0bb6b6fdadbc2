using Groundwork.Client;
using Shop.Orders;

var builder = WebApplication.CreateBuilder(args);
builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
builder.AddGroundwork();
builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning); // Not a line for every request.
builder.Services.AddSingleton(TimeProvider.System);
builder.Services.AddSingleton(_ => OrderStore.Open(builder.Configuration));
builder.Services.AddHttpClient<CatalogClient>(client => client.BaseAddress = new Uri("http://catalog/"));
builder.Services.AddHttpClient<PaymentsClient>(client => client.BaseAddress = new Uri("http://payments/"));
builder.Services.AddTransient<Checkout>();
builder.Services.AddHostedService<PendingOrders>();

var app = builder.Build();
app.MapHealthChecks("/health");
app.MapOrders();
app.Run();
