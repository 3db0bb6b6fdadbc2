using Groundwork.Client;
using Shop.Orders;

var builder = WebApplication.CreateBuilder(args);
builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
builder.AddGroundwork();
builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning); // Not a line for every request.
builder.Services.AddSingleton(TimeProvider.System);
builder.Services.AddSingleton(_ => OrderStore.Open(builder.Configuration));
builder.Services.AddServiceClient<ICatalog>();
builder.Services.AddServiceClient<IPayments>();
builder.Services.AddTransient<Checkout>();
builder.Services.AddHostedService<PendingOrders>();

var app = builder.Build();
app.MapHealthChecks("/health");
app.MapOrders();
app.Run();
